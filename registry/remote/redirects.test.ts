import { buffer } from "node:stream/consumers";
import { seconds } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { digestOf, type Descriptor } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import { TestAuthority } from "../../common/testing/certificates.ts";
import { afterSleep } from "../../common/testing/eventually.ts";
import type { Script } from "../../common/testing/scripted-http.ts";
import { item } from "../content/testing/images.ts";
import { copyGraph } from "../sync/copying/copy.ts";
import { Flights } from "../sync/copying/flights.ts";
import { everyPlatform } from "../sync/planning/platform.ts";
import { openContent } from "../sync/testing/content-parent.ts";
import type { ClientOptions } from "./client.ts";
import { ForbiddenAddressError, ProtocolError } from "./errors.ts";
import type { RemoteRegistry } from "./registry.ts";
import { parentAt, Remotes } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");

let remotes: Remotes;

beforeEach(() => {
  remotes = new Remotes();
});

afterEach(() => remotes.stop());

async function parentThat(script: Script, more: Partial<ParentSettings> = {}): Promise<RemoteRegistry> {
  return remotes.connect(parentAt(await remotes.serve(script), more));
}

const blob = Buffer.from("0123456789".repeat(10));
const layer: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(blob), size: blob.length };

describe("redirects", () => {
  test("S40 a blob comes from another host, which does not see the credentials", async () => {
    const store = await remotes.serve((_, response) => response.end(blob));
    const parent = await remotes.serve(({ headers }, response) => {
      if (headers.authorization === undefined) {
        response.writeHead(401, { "www-authenticate": "Basic realm=a" }).end();
      } else response.writeHead(307, { location: `${store.origin}/signed?key=1` }).end();
    });
    const credentials = { username: "u", password: "p" };
    const registry = remotes.connect(parentAt(parent, { credentials }));
    await expect(buffer(await registry.open(name).fetch(layer))).resolves.toEqual(blob);
    expect(parent.seen[1]?.headers.authorization).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
    expect(store.seen[0]?.headers.authorization).toBeUndefined();
  });

  test("T31 a signed address that has run out is asked for anew", async () => {
    let tries = 0;
    const store = await remotes.serve(({ url }, response) => {
      if (url.endsWith("key=1")) response.writeHead(403).end();
      else response.end(blob);
    });
    const parent = await parentThat((_, response) => {
      response.writeHead(307, { location: `${store.origin}/signed?key=${++tries}` }).end();
    });
    const read = parent.open(name).fetch(layer);
    await afterSleep(remotes.clock, seconds(1));
    await expect(buffer(await read)).resolves.toEqual(blob);
  });

  test("S44 never leads from https to http", async () => {
    const authority = await TestAuthority.create();
    const plain = await remotes.serve((_, response) => response.end(blob));
    const parent = await remotes.serve(
      (_, response) => response.writeHead(307, { location: plain.origin }).end(),
      await authority.issue(["127.0.0.1"]),
    );
    const registry = remotes.connect(parentAt(parent, { caBundle: authority.cert }));
    await expect(registry.open(name).fetch(layer)).rejects.toThrow(ProtocolError);
    expect(plain.seen).toHaveLength(0);
  });

  test("end, also in circles", async () => {
    const server = await remotes.serve((_, response) =>
      response.writeHead(302, { location: "/again" }).end(),
    );
    await expect(remotes.connect(parentAt(server)).open(name).fetch(layer)).rejects.toThrow(ProtocolError);
    expect(server.seen.length).toBeLessThan(10);
  });

  describe("S42 to what only we can reach", () => {
    const leadsTo =
      (location: string): Script =>
      (_, response) =>
        response.writeHead(307, { location }).end();

    test.each([
      { location: "http://169.254.169.254/latest/meta-data/", because: "a metadata service" },
      { location: "http://[fd00:ec2::254]/latest/meta-data/", because: "another one" },
      { location: "http://[fe80::1]/", because: "the wire itself" },
      { location: "http://[::ffff:169.254.169.254]/", because: "an address within another" },
    ])("is refused even on our own machine: $because", async ({ location }) => {
      const parent = await parentThat(leadsTo(location));
      await expect(parent.open(name).fetch(layer)).rejects.toThrow(/nearer to us/);
    });

    test("is refused by its address, under whatever name", async () => {
      const asked: string[] = [];
      const server = await remotes.serve(leadsTo("http://innocent.example/secret"));
      const parent = remotes.connect(parentAt(server), {
        lookup: (hostname, { all: every }, callback) => {
          asked.push(hostname);
          const found = ["93.184.216.34", "169.254.169.254"].map((address) => ({ address, family: 4 }));
          if (every === true) callback(null, found);
          else callback(null, found[1]!.address, 4);
        },
      });
      await expect(parent.open(name).fetch(layer)).rejects.toThrow(ProtocolError);
      expect(asked).toEqual(["innocent.example"]);
    });

    test("is refused to a redirect of a redirect too", async () => {
      const middle = await remotes.serve(leadsTo("http://169.254.0.1/"));
      const parent = await parentThat(leadsTo(`${middle.origin}/`));
      await expect(parent.open(name).fetch(layer)).rejects.toThrow(/nearer to us/);
      expect(middle.seen).toHaveLength(1);
    });

    describe("though it is our own parent, token service or proxy", () => {
      const service = "169.254.169.254";
      const resolved: ClientOptions["lookup"] = (hostname, { all: every }, callback) => {
        const address = hostname === "127.0.0.1" ? hostname : service;
        if (every === true) callback(null, [{ address, family: 4 }]);
        else callback(null, address, 4);
      };

      test.each([
        { loginServer: service, because: "its address is one" },
        { loginServer: "[::ffff:169.254.169.254]:80", because: "its address is one, in another form" },
        { loginServer: "registry.example", because: "its name is one's" },
        { loginServer: "168.63.129.16:5000", because: "there are others" },
      ])("is not asked: $because", async ({ loginServer }) => {
        for (const protocol of ["http", "https"] as const) {
          const parent = parentAt({ host: loginServer, origin: protocol });
          const registry = remotes.connect(parent, { lookup: resolved });
          await expect(registry.open(name).fetch(layer)).rejects.toThrow(ForbiddenAddressError);
          await expect(registry.ping()).rejects.toThrow(/is not asked/);
        }
      });

      test.each([
        { realm: "http://metadata.example/token", because: "by name" },
        { realm: `http://${service}/token`, because: "by address" },
      ])("gets no credentials $because, though the settings allow it", async ({ realm }) => {
        const server = await remotes.serve((_, response) =>
          response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end(),
        );
        const more = {
          credentials: { username: "u", password: "p" },
          tokenHosts: ["metadata.example", service],
        };
        const registry = remotes.connect(parentAt(server, more), { lookup: resolved });
        await expect(registry.open(name).fetch(layer)).rejects.toThrow(ForbiddenAddressError);
      });

      // Node resolves the name of a proxy for plain http itself.
      test.each([
        { url: `http://${service}`, origin: "http" },
        { url: `http://${service}`, origin: "https" },
        { url: "http://proxy.example:80", origin: "https" },
      ])("is not our way to $origin: $url", async ({ url, origin }) => {
        const parent = parentAt({ host: "registry.invalid", origin }, { proxy: { url, noProxy: [] } });
        const registry = remotes.connect(parent, { lookup: resolved });
        await expect(registry.open(name).fetch(layer)).rejects.toThrow(ForbiddenAddressError);
      });
    });

    test.each([
      "file:///etc/passwd",
      "ftp://store.example/",
      "http://user:password@store.example/",
      "http://[",
    ])("%s is no address that we follow", async (location) => {
      const parent = await parentThat(leadsTo(location));
      await expect(parent.open(name).fetch(layer)).rejects.toThrow(ProtocolError);
    });
  });

  test("S42 T18 the addresses in a manifest are nothing to go to: what the parent itself has of it is taken", async () => {
    const inside = await remotes.serve((_, response) => response.end("secret"));
    const config = item("{}", mediaTypes.ociConfig);
    const [offered, absent] = [item("offered"), item("secret")];
    const layers = [offered, absent].map(({ descriptor }) => ({
      ...descriptor,
      urls: [`${inside.origin}/`],
    }));
    const root = item(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: config.descriptor,
        layers,
      }),
      mediaTypes.ociManifest,
    );
    const held = new Map(
      [config, offered, root].map((each) => [each.descriptor.digest as string, each.bytes]),
    );
    const parent = await parentThat(({ url }, response) => {
      const bytes = held.get(url.split("/").at(-1) ?? "");
      if (bytes === undefined) response.writeHead(404).end();
      else response.end(bytes);
    });
    const content = await openContent(remotes.clock);
    const to = content.open(name);
    await copyGraph(parent.open(name), to, root.descriptor, {
      limit: (task) => task(),
      platforms: everyPlatform,
      flights: new Flights(),
    });
    await expect(to.exists(root.descriptor)).resolves.toBe(true);
    await expect(to.exists(offered.descriptor)).resolves.toBe(true);
    await expect(to.exists(absent.descriptor)).resolves.toBe(false);
    expect(inside.seen).toHaveLength(0);
    await content.close();
  });

  describe("to data endpoints", () => {
    const lookup: ClientOptions["lookup"] = (_, { all: every }, callback) => {
      if (every === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    };

    test.each([
      { dataEndpoints: ["contoso.westeurope.data.example"], follows: true, because: "it is named" },
      { dataEndpoints: ["*.data.example"], follows: true, because: "its domain is" },
      { dataEndpoints: ["*.DATA.example"], follows: true, because: "names have no case" },
      { dataEndpoints: ["data.example"], follows: false, because: "only the domain itself is named" },
      { dataEndpoints: ["*.other.example"], follows: false, because: "another domain is" },
      { dataEndpoints: [], follows: true, because: "none is named, and it is no nearer than the parent" },
    ])("with $dataEndpoints it is $follows: $because", async ({ dataEndpoints, follows }) => {
      const store = await remotes.serve((_, response) => response.end(blob));
      const port = store.host.split(":")[1]!;
      const server = await remotes.serve((_, response) =>
        response
          .writeHead(307, { location: `http://contoso.westeurope.data.example:${port}/blob?sig=1` })
          .end(),
      );
      const parent = remotes.connect(parentAt(server, { dataEndpoints }), { lookup });
      const read = parent.open(name).fetch(layer).then(buffer);
      const failure = /none of its data endpoints/.exec(await read.then(String, String))?.[0];
      expect(failure).toBe(follows ? undefined : "none of its data endpoints");
      expect(store.seen).toHaveLength(follows ? 1 : 0);
    });
  });

  test("are not followed with a body: it may hold a secret, and is not ours to give away", async () => {
    const other = await remotes.serve((_, response) => response.end());
    const server = await remotes.serve(({ url }, response) => {
      if (url.startsWith("/token")) response.writeHead(307, { location: `${other.origin}/token` }).end();
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${server.origin}/token"` }).end();
    });
    const credentials = { username: "<token>", password: "refresh" };
    const parent = remotes.connect(parentAt(server, { credentials }));
    await expect(parent.open(name).fetch(layer)).rejects.toThrow(ProtocolError);
    expect(server.seen.at(-1)).toMatchObject({ method: "POST", url: "/token" });
    expect(other.seen).toHaveLength(0);
  });
});
