import { parseSettings } from "../../common/contract/config.ts";
import { parseServeConfig } from "./serve-config.ts";
import type { ServeOptions } from "./option-reader.ts";
import { propertyName, serveOptions } from "./options.ts";
import { overridden } from "./overrides.ts";

const defaults: ServeOptions = Object.fromEntries(
  serveOptions.flatMap((option) =>
    "default" in option ? [[propertyName(option.name), option.default] as const] : [],
  ),
);

describe("the options of serve", () => {
  test("have safe defaults", () => {
    expect(parseServeConfig(defaults)).toMatchObject({
      listen: { host: "127.0.0.1", port: 5000 },
      probes: { host: "127.0.0.1", port: 5001 },
      data: "/var/lib/connected-registry",
      encryption: { kind: "selfSigned" },
      anonymous: [],
      maxConnections: 1000,
      graceSeconds: 20,
    });
  });

  test("are read into settings", () => {
    const config = parseServeConfig({
      ...defaults,
      listen: "[::]:443",
      tlsCert: "a.crt",
      tlsKey: "a.key",
      cluster: "edge/contoso-edge",
      anonymous: "read",
      maxConnections: "50",
      gracePeriod: "5",
    });
    expect(config).toMatchObject({
      listen: { host: "::", port: 443 },
      encryption: { kind: "files", cert: "a.crt", key: "a.key" },
      cluster: { namespace: "edge", name: "contoso-edge" },
      anonymous: ["content/read", "metadata/read"],
      maxConnections: 50,
      graceSeconds: 5,
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
    { option: "max-connections", given: { maxConnections: "0" } },
    { option: "grace-period", given: { gracePeriod: "20s" } },
    { option: "storage-quota", given: { storageQuota: "much" } },
    { option: "storage-quota", given: { storageQuota: "0" } },
    { option: "delete", given: { delete: "never" } },
    { option: "gc", given: { gc: "yes" } },
    { option: "gc-schedule", given: { gcSchedule: "daily" } },
    { option: "scrub", given: { scrub: "x" } },
    { option: "audit", given: { audit: "x" } },
    { option: "http", given: { http: true, tlsCert: "x", tlsKey: "y" } },
  ])("that are wrong are named: --$option", ({ option, given }) => {
    expect(() => parseServeConfig({ ...defaults, ...given })).toThrow(`--${option}: `);
  });

  test("are all judged at once", () => {
    const wrong = { ...defaults, listen: "x", mode: "x", anonymous: "x", tlsKey: "x" };
    expect(() => parseServeConfig(wrong)).toThrow(/--listen: .*; --tls-cert: .*; --anonymous: .*; --mode: /);
  });

  test("are named as they were given: by their environment variable", () => {
    const wrong = { ...defaults, mode: "x", listen: "x" };
    expect(() => parseServeConfig(wrong, (property) => property === "mode")).toThrow(
      /--listen: .*; CONNECTED_REGISTRY_MODE: write ReadOnly or ReadWrite/,
    );
  });
});

describe("options that are settings too", () => {
  const document = parseSettings({
    version: 1,
    name: "edge",
    garbageCollection: { graceSeconds: 600, dryRun: true },
    scrub: { bytesPerSecond: 65_536 },
  });

  test("leave the settings document as it is where they say nothing", () => {
    expect(overridden(document, parseServeConfig(defaults).overrides)).toEqual(document);
  });

  test("T46 lead to a parent by way of the environment's proxy, unless the document names one", () => {
    const environment = { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: "local" };
    const { overrides } = parseServeConfig(defaults, undefined, environment);
    const proxyOf = (parent: object): unknown =>
      overridden(parseSettings({ version: 1, name: "edge", parent }), overrides).parent?.proxy;
    const loginServer = "registry.example";
    const own = { url: "http://other:1", noProxy: [] };
    expect(proxyOf({ loginServer })).toEqual({ url: "http://proxy:3128", noProxy: ["local"] });
    expect(proxyOf({ loginServer, proxy: own })).toEqual(own);
    expect(proxyOf({ loginServer, protocol: "http" })).toBeUndefined();
    expect(overridden(document, overrides)).toEqual(document);
  });

  test("win over it where they say something, and leave what is beside it", () => {
    const given: ServeOptions = {
      ...defaults,
      mode: "ReadWrite",
      logLevel: "Debug",
      storageQuota: "10GiB",
      delete: "off",
      gc: "on",
      gcSchedule: "0 1 * * *",
      scrub: "off",
      audit: "on",
    };
    expect(overridden(document, parseServeConfig(given).overrides)).toEqual({
      ...document,
      mode: "ReadWrite",
      logLevel: "Debug",
      storageQuotaBytes: 10 * 2 ** 30,
      deleteEnabled: false,
      garbageCollection: { enabled: true, schedule: "0 1 * * *", graceSeconds: 600, dryRun: true },
      scrub: { ...document.scrub, enabled: false },
      audit: { enabled: true },
    });
  });
});
