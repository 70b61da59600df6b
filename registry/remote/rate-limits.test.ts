import { buffer } from "node:stream/consumers";
import { seconds } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { digestOf, type Descriptor } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseRepository, parseTag } from "../../common/oci/reference.ts";
import { afterSleep, eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { Script } from "../../common/testing/scripted-http.ts";
import { RateLimitedError } from "./errors.ts";
import type { RemoteRegistry } from "./registry.ts";
import { all, failureOf, json, parentAt, Remotes } from "./testing/remotes.ts";

const name = parseRepository("apps/hello");
const tag = parseTag("1.0");
const blob = Buffer.from("0123456789".repeat(10));
const layer: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(blob), size: blob.length };
const described = {
  "content-type": mediaTypes.ociManifest,
  "docker-content-digest": digestOf("manifest"),
  "content-length": "2",
};

let remotes: Remotes;

beforeEach(() => {
  remotes = new Remotes();
});

afterEach(() => remotes.stop());

async function parentThat(script: Script, more: Partial<ParentSettings> = {}): Promise<RemoteRegistry> {
  return remotes.connect(parentAt(await remotes.serve(script), more));
}

describe("T34 rate limits", () => {
  test.each([
    { because: "seconds", status: 429, headers: { "retry-after": "30" }, body: "" },
    {
      because: "a date, by the parent's own clock",
      status: 429,
      headers: { date: "Thu, 01 Jan 1970 00:00:00 GMT", "retry-after": "Thu, 01 Jan 1970 00:00:30 GMT" },
      body: "",
    },
    { because: "503", status: 503, headers: { "retry-after": "30" }, body: "" },
    {
      because: "only its body",
      status: 403,
      headers: { "retry-after": "30" },
      body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}',
    },
  ])("pause all workers together, told by $because", async ({ status, headers, body }) => {
    let limited = true;
    const server = await remotes.serve((_, response) => {
      if (limited) response.writeHead(status, headers).end(body);
      else json(response, { tags: [] });
    });
    const registry = remotes.connect(parentAt(server));
    const first = all(registry.open(name).tags());
    await eventually(() => remotes.clock.sleeping === 1);
    limited = false;
    const second = all(registry.open(parseRepository("other")).tags());
    await remotes.clock.advance(seconds(29));
    expect(server.seen).toHaveLength(1);
    await remotes.clock.advance(seconds(1));
    await expect(Promise.all([first, second])).resolves.toEqual([[], []]);
  });

  test("T58 end in their time, though somebody sets the clock back by years meanwhile", async () => {
    let limited = true;
    const server = await remotes.serve((_, response) => {
      if (limited) response.writeHead(429, { "retry-after": "30" }).end();
      else json(response, { tags: [] });
    });
    const registry = remotes.connect(parentAt(server));
    const first = all(registry.open(name).tags());
    await eventually(() => remotes.clock.sleeping === 1);
    limited = false;
    remotes.clock.set("1999-01-01T00:00:00Z");
    await remotes.clock.advance(seconds(30));
    await expect(first).resolves.toEqual([]);
    await expect(all(registry.open(name).tags())).resolves.toEqual([]);
  });

  test("without Retry-After, and never ending, are told in the end", async () => {
    const parent = await parentThat((_, response) => response.writeHead(429).end());
    const failed = failureOf(all(parent.open(name).tags()));
    for (let pause = 1; pause <= 3; pause++) await afterSleep(remotes.clock, seconds(8));
    expect(await failed).toBeInstanceOf(RateLimitedError);
  });

  /** Who refuses, of those who serve one pull: the parent, its token service, or where it redirects to. */
  test.each([
    {
      where: "a HEAD",
      path: "/v2/apps/hello/manifests/",
      ask: (parent: RemoteRegistry) => parent.open(name).resolve(tag),
    },
    {
      where: "the token service",
      path: "/token",
      ask: (parent: RemoteRegistry) => parent.open(name).resolve(tag),
    },
    {
      where: "a deletion",
      path: "/v2/apps/hello/manifests/1.0",
      ask: (parent: RemoteRegistry) =>
        parent.writer(name).remove(tag, digestOf("manifest"), new AbortController().signal),
    },
    {
      where: "a push",
      path: "/v2/apps/hello/blobs/uploads/",
      ask: (parent: RemoteRegistry) =>
        parent.writer(name).beginUpload(layer.digest, undefined, new AbortController().signal),
    },
    {
      where: "the host of the content",
      path: "/signed",
      ask: async (parent: RemoteRegistry) => buffer(await parent.open(name).fetch(layer)),
    },
  ])("of $where pause everybody, and nothing is dropped", async ({ path, ask }) => {
    let limited = true;
    const answer =
      (inner: Script): Script =>
      (request, response) => {
        if (limited && request.url.startsWith(path)) {
          limited = false;
          response.writeHead(429, { "retry-after": "30" }).end();
        } else inner(request, response);
      };
    const store = await remotes.serve(answer((_, response) => response.end(blob)));
    const server = await remotes.serve((request, response) => {
      answer(({ method, url, headers }) => {
        if (url.startsWith("/token")) json(response, { token: "t" });
        else if (headers.authorization === undefined) {
          const challenge = `Bearer realm="${server.origin}/token"`;
          response.writeHead(401, { "www-authenticate": challenge }).end();
        } else if (method === "DELETE") response.writeHead(202).end();
        else if (url.includes("/uploads/")) response.writeHead(201).end();
        else if (url.includes("/blobs/"))
          response.writeHead(307, { location: `${store.origin}/signed` }).end();
        else if (url.endsWith("list?n=1000")) json(response, { tags: [] });
        else response.writeHead(200, described).end();
      })(request, response);
    });
    const parent = remotes.connect(parentAt(server));
    const first = ask(parent);
    await eventually(() => remotes.clock.sleeping === 1);
    const before = server.seen.length;
    const second = all(parent.open(name).tags());
    await remotes.clock.advance(seconds(29));
    expect(server.seen).toHaveLength(before);
    await remotes.clock.advance(seconds(1));
    await expect(Promise.all([first, second])).resolves.toBeDefined();
  });

  test("for long are told at once, everybody is, the parent counts as there, and it goes on afterwards", async () => {
    let limited = true;
    const server = await remotes.serve((_, response) => {
      if (limited) response.writeHead(429, { "retry-after": "600" }).end();
      else json(response, { tags: [] });
    });
    const parent = remotes.connect(parentAt(server));
    await expect(all(parent.open(name).tags())).rejects.toThrow(RateLimitedError);
    await expect(all(parent.open(name).tags())).rejects.toThrow(RateLimitedError);
    await parent.ping();
    expect(server.seen).toHaveLength(1);
    limited = false;
    await remotes.clock.advance(seconds(600));
    await expect(all(parent.open(name).tags())).resolves.toEqual([]);
  });

  test("by a date count from our clock where the parent does not show its own", async () => {
    let limited = true;
    const server = await remotes.serve((_, response) => {
      response.sendDate = false;
      const until = remotes.clock.now().plus(seconds(30)).toHTTP();
      if (limited) response.writeHead(429, { "retry-after": until }).end();
      else json(response, { tags: [] });
      limited = false;
    });
    const read = all(remotes.connect(parentAt(server)).open(name).tags());
    await eventually(() => remotes.clock.sleeping === 1);
    await remotes.clock.advance(seconds(29));
    expect(server.seen).toHaveLength(1);
    await remotes.clock.advance(seconds(1));
    await expect(read).resolves.toEqual([]);
  });

  test("many registries that were told the same do not come back together", async () => {
    const waits = await Promise.all(
      [0, 0.5, 0.99].map(async (random) => {
        const server = await remotes.serve((_, response) =>
          response.writeHead(429, { "retry-after": "40" }).end(),
        );
        const clock = new ManualClock();
        const stop = new AbortController();
        const parent = remotes.connect(parentAt(server), { clock, random: () => random });
        const failed = failureOf(all(parent.open(name).tags(stop.signal)));
        await eventually(() => clock.sleeping === 1);
        await clock.advance(seconds(40));
        const asked = server.seen.length;
        stop.abort(new Error("the test is over"));
        await failed;
        return asked;
      }),
    );
    expect(waits).toEqual([2, 1, 1]);
  });

  test("T35 that are near slow us down, before there is a 429", async () => {
    const left = [50, 4, 0];
    const server = await remotes.serve((_, response) => {
      json(
        response,
        { tags: [] },
        { "ratelimit-limit": "60;w=60", "ratelimit-remaining": `${left.shift() ?? 60};w=60` },
      );
    });
    const repository = remotes.connect(parentAt(server)).open(name);
    await all(repository.tags());
    await all(repository.tags());
    const third = all(repository.tags());
    await remotes.clock.advance(seconds(14));
    expect(server.seen).toHaveLength(2);
    await remotes.clock.advance(seconds(1));
    await third;
    const fourth = all(repository.tags());
    await remotes.clock.advance(seconds(59));
    expect(server.seen).toHaveLength(3);
    await remotes.clock.advance(seconds(1));
    await fourth;
    expect(server.seen).toHaveLength(4);
  });
});
