import { parseServeConfig, serveOptions, type ServeOptions } from "./config.ts";

const defaults: ServeOptions = Object.fromEntries(
  serveOptions.flatMap((option) => ("default" in option ? [[option.name, option.default] as const] : [])),
);

describe("the options of serve", () => {
  test("have safe defaults", () => {
    expect(parseServeConfig(defaults)).toEqual({
      listen: { host: "127.0.0.1", port: 5000 },
      probes: { host: "127.0.0.1", port: 5001 },
      data: "/var/lib/connected-registry",
      mode: "ReadWrite",
      encryption: { kind: "selfSigned" },
      anonymous: [],
    });
  });

  test("are read into settings", () => {
    const config = parseServeConfig({
      ...defaults,
      listen: "[::]:443",
      mode: "ReadOnly",
      tlsCert: "a.crt",
      tlsKey: "a.key",
      cluster: "edge/contoso-edge",
      logLevel: "Debug",
      anonymous: "read",
      config: "settings.json",
    });
    expect(config).toMatchObject({
      listen: { host: "::", port: 443 },
      mode: "ReadOnly",
      encryption: { kind: "files", cert: "a.crt", key: "a.key" },
      cluster: { namespace: "edge", name: "contoso-edge" },
      logLevel: "Debug",
      anonymous: ["content/read", "metadata/read"],
      configFile: "settings.json",
    });
    expect(parseServeConfig({ ...defaults, http: true }).encryption).toEqual({ kind: "none" });
  });

  test.each([
    { option: "listen", given: { listen: "5000" } },
    { option: "listen", given: { listen: "a:70000" } },
    { option: "probes", given: { probes: "" } },
    { option: "data", given: { data: "" } },
    { option: "mode", given: { mode: "Mirror" } },
    { option: "anonymous", given: { anonymous: "yes" } },
    { option: "cluster", given: { cluster: "a/b/c" } },
    { option: "log-level", given: { logLevel: "debug" } },
    { option: "tls-key", given: { tlsCert: "x" } },
    { option: "tls-cert", given: { tlsKey: "x" } },
    { option: "http", given: { http: true, tlsCert: "x", tlsKey: "y" } },
  ])("that are wrong are named: --$option", ({ option, given }) => {
    expect(() => parseServeConfig({ ...defaults, ...given })).toThrow(`--${option}: `);
  });

  test("are all judged at once", () => {
    const wrong = { ...defaults, listen: "x", mode: "x", anonymous: "x", tlsKey: "x" };
    expect(() => parseServeConfig(wrong)).toThrow(/--listen: .*; --mode: .*; --tls-cert: .*; --anonymous: /);
  });
});
