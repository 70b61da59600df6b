import type { ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { milliseconds, seconds, systemClock } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { digestOf, DigestMismatchError, type Descriptor } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository, parseTag } from "../../common/oci/reference.ts";
import { TestAuthority } from "../../common/testing/certificates.ts";
import { afterSleep, eventually } from "../../common/testing/eventually.ts";
import type { ManualClock } from "../../common/testing/manual-clock.ts";
import { ScriptedServer, type Script, type SeenRequest } from "../../common/testing/scripted-http.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import {
  DeniedError,
  NotResumableError,
  ProtocolError,
  RepositoryNotFoundError,
  UnauthorizedError,
  UnreachableError,
  UntrustedError,
} from "./errors.ts";
import { parentFault } from "../sync/faults.ts";
import type { RemoteRegistry } from "./registry.ts";
import { all, failureOf, impatient, json, parentAt, Remotes } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");
const tag = parseTag("1.0");
const blob = Buffer.from("0123456789".repeat(10));
const layer: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(blob), size: blob.length };
const subject = digestOf("subject");

describe("RemoteRegistry", () => {
  let remotes: Remotes;
  let clock: ManualClock;

  beforeEach(() => {
    remotes = new Remotes();
    clock = remotes.clock;
  });

  afterEach(() => remotes.stop());

  const serve = (...parameters: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> =>
    remotes.serve(...parameters);
  const connect = (...parameters: Parameters<Remotes["connect"]>): RemoteRegistry =>
    remotes.connect(...parameters);

  async function parentThat(script: Script, more: Partial<ParentSettings> = {}): Promise<RemoteRegistry> {
    return connect(parentAt(await serve(script), more));
  }

  describe("resolving a tag", () => {
    const manifest = Buffer.from("{}");

    test("T35 takes one HEAD where it says enough", async () => {
      const server = await serve((_, response) => {
        response
          .writeHead(200, {
            "content-type": `${mediaTypes.dockerManifest}; charset=utf-8`,
            "docker-content-digest": digestOf(manifest),
            "content-length": "2",
          })
          .end();
      });
      const found = connect(parentAt(server)).open(name).resolve(tag);
      await expect(found).resolves.toEqual({
        mediaType: mediaTypes.dockerManifest,
        digest: digestOf(manifest),
        size: 2,
      });
      expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
        "HEAD /v2/apps/hello/manifests/1.0",
      ]);
      expect(server.seen[0]?.headers.accept).toContain(mediaTypes.ociIndex);
    });

    test("reads the manifest where the HEAD says less, and believes the bytes", async () => {
      const parent = await parentThat(({ method }, response) => {
        response.writeHead(200, { "content-type": mediaTypes.ociManifest });
        response.end(method === "GET" ? manifest : undefined);
      });
      await expect(parent.open(name).resolve(tag)).resolves.toMatchObject({ digest: digestOf(manifest) });
    });

    test.each([
      { status: 404, error: TagNotFoundError },
      { status: 403, error: DeniedError },
      { status: 401, error: UnauthorizedError },
      { status: 418, error: ProtocolError },
    ])("a $status is told at once", async ({ status, error }) => {
      const server = await serve((_, response) => response.writeHead(status).end());
      await expect(connect(parentAt(server)).open(name).resolve(tag)).rejects.toThrow(error);
      expect(server.seen).toHaveLength(1);
    });

    test("a 5xx is tried again, each time after a longer pause, and then given up", async () => {
      const server = await serve((_, response) => response.writeHead(502).end());
      const failed = failureOf(connect(parentAt(server)).open(name).resolve(tag));
      for (const pause of [1, 2, 4]) await afterSleep(clock, seconds(pause));
      expect(await failed).toBeInstanceOf(UnreachableError);
      expect(server.seen).toHaveLength(4);
    });
  });

  describe("lists", () => {
    test("T14 follows every page, clamped as the parent likes, and sorts", async () => {
      const pages: Record<string, { tags: string[]; next?: string }> = {
        "/v2/apps/hello/tags/list?n=1000": { tags: ["b", "c"], next: "/v2/apps/hello/tags/list?n=2&last=c" },
        "/v2/apps/hello/tags/list?n=2&last=c": { tags: ["a", "0.1.20"], next: "list?n=2&last=d" },
        "/v2/apps/hello/tags/list?n=2&last=d": { tags: ["0.1.2", "not a tag"] },
      };
      const parent = await parentThat(({ url }, response) => {
        const { tags, next } = pages[url]!;
        json(response, { name, tags }, next === undefined ? {} : { link: `<${next}>; rel="next"` });
      });
      await expect(all(parent.open(name).tags())).resolves.toEqual(["0.1.2", "0.1.20", "a", "b", "c"]);
    });

    test.each([
      { status: 500, because: "a page fails", error: UnreachableError },
      { status: 401, because: "a page is refused", error: UnauthorizedError },
    ])("T14 a list is whole or an error: $because", async ({ status, error }) => {
      const parent = await parentThat(({ url }, response) => {
        if (url.includes("last")) response.writeHead(status).end();
        else json(response, { tags: ["a"] }, { link: '</v2/apps/hello/tags/list?last=a>; rel="next"' });
      });
      const failed = failureOf(all(parent.open(name).tags()));
      if (status === 500) for (const pause of [1, 2, 4]) await afterSleep(clock, seconds(pause));
      expect(await failed).toBeInstanceOf(error);
    });

    test.each([
      {
        because: "the list goes round in circles",
        link: () => '</v2/apps/hello/tags/list?n=1000>; rel="next"',
      },
      { because: "it continues on another host", link: () => '<https://evil.example/x>; rel="next"' },
      {
        because: "it has no end",
        link: ({ url }: SeenRequest) => `</v2/x?last=${Number(url.split("=")[1]) + 1}>; rel="next"`,
      },
    ])(
      "S04 stops when $because",
      async ({ link }) => {
        const parent = await parentThat((request, response) => {
          json(response, { tags: ["a"] }, { link: link(request) });
        });
        await expect(all(parent.open(name).tags())).rejects.toThrow(ProtocolError);
      },
      30_000,
    );

    test("an empty list may be null, and a missing repository is no empty list", async () => {
      const parent = await parentThat(({ url }, response) => {
        if (url.includes("missing")) response.writeHead(404).end();
        else json(response, { name, tags: null });
      });
      await expect(all(parent.open(name).tags())).resolves.toEqual([]);
      await expect(all(parent.open(parseRepository("missing")).tags())).rejects.toThrow(
        RepositoryNotFoundError,
      );
    });

    test("asks for the catalog with its own scope", async () => {
      const parent = await parentThat((_, response) => {
        json(response, { repositories: ["b", "a/b", "Upper"] });
      });
      await expect(all(parent.list())).resolves.toEqual(["a/b", "b"]);
    });

    test.each(["<html>", "{}", '{"tags":[1]}', "null"])(
      "S54 %s is an error and no empty list",
      async (body) => {
        const parent = await parentThat((_, response) => response.end(body));
        await expect(all(parent.open(name).tags())).rejects.toThrow(ProtocolError);
      },
    );
  });

  describe("referrers", () => {
    const referrer = { mediaType: mediaTypes.ociManifest, digest: digestOf("signature"), size: 9 };
    const list = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [referrer] });

    test("T17 come from the API", async () => {
      const parent = await parentThat(({ url }, response) => {
        if (url === `/v2/apps/hello/referrers/${subject}`) response.end(list);
        else response.writeHead(404).end();
      });
      await expect(all(parent.open(name).referrers(subject))).resolves.toEqual([referrer]);
    });

    test("T17 come from the referrers tag where there is no API, which is then not asked again", async () => {
      const server = await serve(({ url }, response) => {
        if (url.includes("/manifests/sha256-")) response.end(list);
        else response.writeHead(404).end();
      });
      const repository = connect(parentAt(server)).open(name);
      await expect(all(repository.referrers(subject))).resolves.toEqual([referrer]);
      await all(repository.referrers(subject));
      expect(server.seen.map(({ url }) => url.split("/")[4])).toEqual([
        "referrers",
        "manifests",
        "manifests",
      ]);
      // T58 A clock that is set back by years makes nobody believe that for years.
      clock.set("1999-01-01T00:00:00Z");
      await clock.advance(seconds(3601));
      await all(repository.referrers(subject));
      expect(server.seen.slice(3).map(({ url }) => url.split("/")[4])).toEqual(["referrers", "manifests"]);
    });

    test.each([
      { because: "by the API", part: "/referrers/" },
      { because: "by the referrers tag", part: "/manifests/sha256-" },
    ])("T35 that are what they were are not sent again: $because", async ({ part }) => {
      let current = list;
      const server = await serve(({ url, headers }, response) => {
        if (!url.includes(part)) response.writeHead(404).end();
        else if (headers["if-none-match"] === `"${digestOf(current)}"`) response.writeHead(304).end();
        else response.writeHead(200, { etag: `"${digestOf(current)}"` }).end(current);
      });
      const repository = connect(parentAt(server)).open(name);
      const statuses = (): unknown => server.seen.splice(0).map(({ headers }) => headers["if-none-match"]);
      await expect(all(repository.referrers(subject))).resolves.toEqual([referrer]);
      statuses();
      await expect(all(repository.referrers(subject))).resolves.toEqual([referrer]);
      expect(statuses()).toEqual([`"${digestOf(list)}"`]);
      current = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
      await expect(all(repository.referrers(subject))).resolves.toEqual([]);
      await expect(all(repository.referrers(subject))).resolves.toEqual([]);
      expect(statuses()).toEqual([`"${digestOf(list)}"`, `"${digestOf(current)}"`]);
    });

    test("S04 a list without end is refused", async () => {
      const manifests = Array.from({ length: 1001 }, (_, i) => ({
        ...referrer,
        digest: digestOf(String(i)),
      }));
      const parent = await parentThat((_, response) => {
        json(response, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
      });
      await expect(all(parent.open(name).referrers(subject))).rejects.toThrow(ProtocolError);
    });
  });

  describe("content", () => {
    const sliced = ({ headers }: SeenRequest): number =>
      Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    const partial = (response: ServerResponse, from: number, more: Record<string, string> = {}): void => {
      const range = `bytes ${from}-${blob.length - 1}/${blob.length}`;
      response.writeHead(206, { "content-range": range, ...more }).end(blob.subarray(from));
    };
    const cutAfter = (response: ServerResponse, bytes: number, more: Record<string, string> = {}): void => {
      response.writeHead(200, { "content-length": String(blob.length), ...more });
      response.write(blob.subarray(0, bytes), () => response.destroy());
    };

    test("is verified and counted", async () => {
      let counted = 0;
      const server = await serve((_, response) => response.end(blob));
      const repository = connect(parentAt(server), {
        observer: { requested: () => undefined, received: (bytes) => (counted += bytes) },
      }).open(name);
      await expect(buffer(await repository.fetch(layer))).resolves.toEqual(blob);
      expect(counted).toBe(blob.length);
      expect(server.seen[0]?.url).toBe(`/v2/apps/hello/blobs/${layer.digest}`);
    });

    test.each([
      { kind: "blob", descriptor: layer },
      { kind: "manifest", descriptor: { ...layer, mediaType: mediaTypes.ociManifest } },
    ])("a $kind that is not there is told before there is a stream", async ({ descriptor }) => {
      const parent = await parentThat((_, response) => response.writeHead(404).end());
      await expect(parent.open(name).fetch(descriptor)).rejects.toThrow(ContentNotFoundError);
      await expect(parent.open(name).exists(descriptor)).resolves.toBe(false);
    });

    test("T32 a flipped byte fails", async () => {
      const wrong = Buffer.from(blob);
      wrong[50] = 0;
      const parent = await parentThat((_, response) => response.end(wrong));
      await expect(buffer(await parent.open(name).fetch(layer))).rejects.toThrow(DigestMismatchError);
    });

    test("S04 an endless manifest is cut off", async () => {
      const parent = await parentThat((_, response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(1024 * 1024)));
        };
        response.on("drain", more);
        more();
      });
      const endless = { ...layer, mediaType: mediaTypes.ociManifest };
      await expect(parent.open(name).fetch(endless)).rejects.toThrow(ProtocolError);
    });

    test("T31 a cut transfer goes on where it ended", async () => {
      const server = await serve((request, response) => {
        const from = sliced(request);
        if (from === 0) cutAfter(response, 30, { etag: '"a"' });
        else partial(response, from, { etag: '"a"' });
      });
      const read = buffer(await connect(parentAt(server)).open(name).fetch(layer));
      await afterSleep(clock, seconds(1));
      await expect(read).resolves.toEqual(blob);
      expect(server.seen[1]?.headers).toMatchObject({ range: "bytes=30-", "if-range": '"a"' });
    });

    test("T57 is not given up while every try brings something", async () => {
      const server = await serve((request, response) => {
        const from = sliced(request);
        response.writeHead(from === 0 ? 200 : 206, {
          "content-length": String(blob.length - from),
          ...(from === 0 ? {} : { "content-range": `bytes ${from}-${blob.length - 1}/${blob.length}` }),
        });
        response.write(blob.subarray(from, from + 10), () => {
          if (from + 10 >= blob.length) response.end();
          else response.destroy();
        });
      });
      const read = buffer(await connect(parentAt(server)).open(name).fetch(layer));
      for (let cut = 1; cut <= 9; cut++) await afterSleep(clock, seconds(1));
      await expect(read).resolves.toEqual(blob);
      expect(server.seen).toHaveLength(10);
    });

    test.each([
      {
        because: "the parent ignores Range",
        again: (response: ServerResponse) => response.end(blob),
      },
      {
        because: "the range is another one",
        again: (response: ServerResponse) =>
          response.writeHead(206, { "content-range": "bytes 0-99/100" }).end(blob),
      },
      {
        because: "the range is of other content",
        again: (response: ServerResponse) =>
          response.writeHead(206, { "content-range": "bytes 30-199/200" }).end(),
      },
      {
        because: "there is no range",
        again: (response: ServerResponse) => response.writeHead(206).end(blob.subarray(30)),
      },
      {
        because: "the ETag has changed",
        again: (response: ServerResponse) => {
          partial(response, 30, { etag: '"b"' });
        },
      },
      { because: "416", again: (response: ServerResponse) => response.writeHead(416).end() },
    ])("T31 never splices: $because", async ({ again }) => {
      const parent = await parentThat((request, response) => {
        if (request.headers.range === undefined) cutAfter(response, 30, { etag: '"a"' });
        else again(response);
      });
      const failed = failureOf(buffer(await parent.open(name).fetch(layer)));
      await afterSleep(clock, seconds(1));
      expect(await failed).toBeInstanceOf(NotResumableError);
    });

    test("T36 a parent that stalls within a body is left, and the rest is fetched", async () => {
      const server = await serve((request, response) => {
        if (sliced(request) > 0) partial(response, sliced(request));
        else response.writeHead(200, { "content-length": String(blob.length) }).write(blob.subarray(0, 10));
      });
      const parent = connect(parentAt(server), { timeouts: impatient });
      const read = buffer(await parent.open(name).fetch(layer));
      await afterSleep(clock, seconds(1));
      await expect(read).resolves.toEqual(blob);
    });

    test("T36 a parent that takes the connection and says nothing is given up, and the next can be asked", async () => {
      const server = await serve(() => undefined);
      const parent = connect(parentAt(server), { timeouts: impatient });
      const failed = failureOf(parent.open(name).fetch(layer));
      for (const pause of [1, 2, 4]) await afterSleep(clock, seconds(pause));
      expect(await failed).toBeInstanceOf(UnreachableError);
      server.use((_, response) => response.end(blob));
      await expect(buffer(await parent.open(name).fetch(layer))).resolves.toEqual(blob);
    });

    test("T36 a transfer that moves, however slowly, is never given up", async () => {
      const server = await serve((_, response) => {
        response.writeHead(200, { "content-length": String(blob.length) });
        const next = (at: number): void => {
          response.write(blob.subarray(at, at + 10));
          if (at + 10 >= blob.length) response.end();
          else
            void systemClock.sleep(milliseconds(250)).then(() => {
              next(at + 10);
            });
        };
        next(0);
      });
      // Longer, in all, than it may be silent.
      const parent = connect(parentAt(server), { timeouts: { connect: seconds(30), idle: seconds(2) } });
      await expect(buffer(await parent.open(name).fetch(layer))).resolves.toEqual(blob);
      expect(server.seen).toHaveLength(1);
    });

    test("T31 a part that was not asked for is not taken for the whole", async () => {
      const parent = await parentThat((_, response) =>
        response.writeHead(206, { "content-range": "bytes 50-99/100" }).end(blob.subarray(50)),
      );
      await expect(parent.open(name).fetchFrom(layer, 0)).rejects.toThrow(NotResumableError);
    });

    test("ends with the signal's reason, and leaves no connection open", async () => {
      const open = new Set<ServerResponse>();
      const parent = await parentThat((_, response) => {
        open.add(response);
        response.on("close", () => open.delete(response));
        response.write(blob.subarray(0, 10));
      });
      const stop = new AbortController();
      const stream = await parent.open(name).fetch(layer, stop.signal);
      const failed = failureOf(buffer(stream));
      stop.abort(new Error("window closed"));
      expect(await failed).toMatchObject({ message: "window closed" });
      await eventually(() => open.size === 0);
    });

    test("a reader that goes away before it has read leaves no connection open", async () => {
      const open = new Set<ServerResponse>();
      const parent = await parentThat((_, response) => {
        open.add(response);
        response.on("close", () => open.delete(response));
        response.write(blob.subarray(0, 10));
      });
      (await parent.open(name).fetch(layer)).destroy();
      await expect(eventually(() => open.size === 0)).resolves.toBeUndefined();
    });
  });

  describe("S44 certificates", () => {
    const ok: Script = (_, response) => {
      json(response, { tags: [] });
    };

    test("a parent signed by the bundle is trusted", async () => {
      const authority = await TestAuthority.create();
      const server = await serve(ok, await authority.issue(["127.0.0.1"]));
      const registry = connect(parentAt(server, { caBundle: authority.cert }));
      await expect(all(registry.open(name).tags())).resolves.toEqual([]);
    });

    test.each([
      {
        because: "nobody vouches for it",
        hosts: ["127.0.0.1"],
        until: "2120-01-01",
        bundle: false,
        remedy: /CA bundle/,
      },
      {
        because: "it is of another host",
        hosts: ["other.example"],
        until: "2120-01-01",
        bundle: true,
        remedy: /host name/,
      },
      {
        because: "T58 it has run out, or so our clock says",
        hosts: ["127.0.0.1"],
        until: "2021-01-01",
        bundle: true,
        remedy: /clock/,
      },
    ])("a parent is not trusted: $because", async ({ hosts, until, bundle, remedy }) => {
      const authority = await TestAuthority.create();
      const server = await serve(ok, await authority.issue(hosts, until));
      const registry = connect(parentAt(server, bundle ? { caBundle: authority.cert } : {}));
      const failure = await failureOf(all(registry.open(name).tags()));
      expect(failure).toBeInstanceOf(UntrustedError);
      expect(parentFault(failure)).toMatchObject({
        code: "CERTIFICATE",
        description: expect.stringMatching(remedy) as string,
      });
      await expect(registry.ping()).rejects.toThrow(UntrustedError);
      expect(server.seen).toHaveLength(0);
    });

    test("a parent without TLS is not talked to over http instead", async () => {
      const server = await serve(ok);
      const registry = connect(parentAt(server, { protocol: "https" }));
      const failure = await failureOf(registry.ping());
      expect(failure).toBeInstanceOf(UntrustedError);
      expect(parentFault(failure)?.description).toContain("protocol http");
      expect(server.seen).toHaveLength(0);
    });
  });

  describe("ping", () => {
    test.each([
      { status: 200, because: "it is there" },
      { status: 401, because: "a parent that does not know us is there" },
      { status: 403, because: "a parent that does not like us is there" },
    ])("is content with $status: $because", async ({ status }) => {
      const parent = await parentThat((_, response) => response.writeHead(status).end());
      await expect(parent.ping()).resolves.toBeUndefined();
    });

    test("T51 one try finds out that the parent is gone", async () => {
      const server = await serve((_, response) => response.writeHead(502).end());
      const registry = connect(parentAt(server));
      await expect(registry.ping()).rejects.toThrow(UnreachableError);
      expect(server.seen).toHaveLength(1);
      await server.stop();
      await expect(registry.ping()).rejects.toThrow(UnreachableError);
    });
  });
});
