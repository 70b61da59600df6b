import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import { seconds } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { digestOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import { TestAuthority } from "../../common/testing/certificates.ts";
import { afterSleep } from "../../common/testing/eventually.ts";
import { FaultLink } from "../../common/testing/fault-link.ts";
import type { Script } from "../../common/testing/scripted-http.ts";
import { openGate } from "../link/testing/open-gate.ts";
import { ProtocolError, UnauthorizedError, UnreachableError, UntrustedError } from "./errors.ts";
import { TestProxy } from "./testing/test-proxy.ts";
import { all, failureOf, impatient, json, parentAt, Remotes } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");
const blob = Buffer.alloc(512 * 1024, "content");
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(blob), size: blob.length };

/** T46, with names that only the proxy can resolve. */
describe("T46 by way of a proxy", () => {
  let remotes: Remotes;

  beforeEach(() => {
    remotes = new Remotes();
  });

  afterEach(() => remotes.stop());

  const script: Script = ({ url, headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    if (!url.includes("/blobs/")) json(response, { tags: ["1"] });
    else if (from === 0) response.writeHead(200, { "content-length": String(blob.length) }).end(blob);
    else {
      const range = `bytes ${from}-${blob.length - 1}/${blob.length}`;
      response.writeHead(206, { "content-range": range }).end(blob.subarray(from));
    }
  };

  async function proxyTo(host: string, mode?: "works" | "refuses" | "silent"): Promise<[TestProxy, string]> {
    const proxy = remotes.stopLater(new TestProxy(Number(host.split(":")[1]), mode));
    return [proxy, await proxy.open()];
  }

  async function secureParent(): Promise<[host: string, more: Partial<ParentSettings>]> {
    const authority = await TestAuthority.create();
    const server = await remotes.serve(script, await authority.issue(["registry.invalid"]));
    return [server.host, { loginServer: "registry.invalid", protocol: "https", caBundle: authority.cert }];
  }

  test.each([
    { login: undefined, sent: undefined },
    {
      login: { username: "u@x", password: "p:/" },
      sent: `Basic ${Buffer.from("u@x:p:/").toString("base64")}`,
    },
  ])("https goes through a tunnel, logged in with $login, verified and counted", async ({ login, sent }) => {
    const [host, more] = await secureParent();
    const [proxy, url] = await proxyTo(host);
    let received = 0;
    const gate = {
      ...openGate,
      passed: async (traffic: { readonly received: number }) => void (received += traffic.received),
    };
    const credentials = login === undefined ? {} : { credentials: login };
    const parent = parentAt(
      { host, origin: "https" },
      { ...more, proxy: { url, noProxy: [], ...credentials } },
    );
    const registry = remotes.connect(parent, { gate });
    await expect(all(registry.open(name).tags())).resolves.toEqual(["1"]);
    await expect(registry.open(name).fetch(layer).then(buffer)).resolves.toEqual(blob);
    expect(new Set(proxy.seen.map(({ target }) => target))).toEqual(new Set(["registry.invalid:443"]));
    expect(proxy.seen[0]?.login).toBe(sent);
    // TLS and heads come on top.
    expect(received).toBeGreaterThan(blob.length);
    expect(received).toBeLessThan(blob.length * 1.1);
  });

  test("T30 a tunnel that is lost within a transfer is dug anew, and the transfer goes on", async () => {
    const [host, more] = await secureParent();
    const [proxy, url] = await proxyTo(host);
    const link = remotes.stopLater(
      await FaultLink.start({ host: "127.0.0.1", port: Number(new URL(url).port) }),
    );
    link.cutAfter(200_000);
    const parent = parentAt(
      { host, origin: "https" },
      { ...more, proxy: { url: `http://${link.host}`, noProxy: [] } },
    );
    const read = remotes.connect(parent).open(name).fetch(layer).then(buffer);
    await afterSleep(remotes.clock, seconds(1));
    await expect(read).resolves.toEqual(blob);
    expect(proxy.seen).toHaveLength(2);
  });

  test("several transfers open several connections", async () => {
    const [host, more] = await secureParent();
    const [proxy, url] = await proxyTo(host);
    const registry = remotes.connect(
      parentAt({ host, origin: "https" }, { ...more, proxy: { url, noProxy: [] } }),
    );
    await Promise.all(Array.from({ length: 4 }, () => registry.open(name).fetch(layer).then(buffer)));
    expect(proxy.seen).toHaveLength(4);
  });

  test("a certificate that nobody vouches for is not trusted through a tunnel either", async () => {
    const [host, more] = await secureParent();
    const [, url] = await proxyTo(host);
    const parent = parentAt(
      { host, origin: "https" },
      { ...more, caBundle: "", proxy: { url, noProxy: [] } },
    );
    await expect(all(remotes.connect(parent).open(name).tags())).rejects.toThrow(UntrustedError);
  });

  test("http is asked of the proxy itself", async () => {
    const server = await remotes.serve(script);
    const [proxy, url] = await proxyTo(server.host);
    const parent = parentAt(server, { loginServer: "registry.invalid:5000", proxy: { url, noProxy: [] } });
    await expect(all(remotes.connect(parent).open(name).tags())).resolves.toEqual(["1"]);
    expect(proxy.seen[0]?.target).toMatch(/^http:\/\/registry\.invalid:5000\/v2\//);
  });

  test("not what it excepts", async () => {
    const [host, more] = await secureParent();
    const [proxy, url] = await proxyTo(host);
    const parent = parentAt(
      { host, origin: "https" },
      { ...more, proxy: { url, noProxy: ["registry.invalid"] } },
    );
    const asked: string[] = [];
    const registry = remotes.connect(parent, {
      attempts: 1,
      lookup: (hostname, _options, callback) => {
        asked.push(hostname);
        callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []);
      },
    });
    await expect(all(registry.open(name).tags())).rejects.toThrow(UnreachableError);
    expect(asked).toEqual(["registry.invalid"]);
    expect(proxy.seen).toHaveLength(0);
  });

  test.each([
    { mode: "refuses", error: UnauthorizedError, says: "The proxy on the way to the parent" },
    { mode: "silent", error: UnreachableError, says: "by way of the proxy" },
  ] as const)(
    "S43 a proxy that is $mode is told as that, without its password",
    async ({ mode, error, says }) => {
      const [host, more] = await secureParent();
      const [, url] = await proxyTo(host, mode);
      const credentials = { username: "edge", password: "hunter2" };
      for (const protocol of ["https", "http"] as const) {
        const parent = parentAt(
          { host, origin: "" },
          { ...more, protocol, proxy: { url, noProxy: [], credentials } },
        );
        const registry = remotes.connect(parent, { attempts: 1, timeouts: impatient });
        const failure = await failureOf(all(registry.open(name).tags()));
        expect(failure).toBeInstanceOf(error);
        expect(String(failure)).toContain(says);
        expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain("hunter2");
      }
    },
  );

  test("T36 a handshake that never ends behind the proxy is given up", async () => {
    const silent = createServer(() => undefined);
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const [, url] = await proxyTo(`127.0.0.1:${(silent.address() as AddressInfo).port}`);
    remotes.stopLater({ stop: async () => silent.close() });
    const parent = parentAt({ host: "registry.invalid", origin: "https" }, { proxy: { url, noProxy: [] } });
    const registry = remotes.connect(parent, { attempts: 1, timeouts: impatient });
    await expect(all(registry.open(name).tags())).rejects.toThrow(/ETIMEDOUT/);
  });

  test("S42 what a parent leads to by address is judged though the proxy would go there", async () => {
    const server = await remotes.serve((_, response) =>
      response.writeHead(307, { location: "http://10.0.0.1/secret" }).end(),
    );
    const [proxy, url] = await proxyTo(server.host);
    const parent = parentAt(server, { loginServer: "registry.invalid", proxy: { url, noProxy: [] } });
    await expect(remotes.connect(parent).open(name).fetch(layer)).rejects.toThrow(ProtocolError);
    expect(proxy.seen).toHaveLength(1);
  });
});
