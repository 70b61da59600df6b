import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const images = ["a", "b", "c"].map((note) => image(config, [], { annotations: { note } }));
const digests = images.map(({ descriptor }) => descriptor.digest).sort();
const free = { deleteEnabled: true, writeEnabled: true, listEnabled: true, readEnabled: true };

let registry: Loopback;

async function fill(name: string): Promise<void> {
  const target = registry.content.open(repository(name));
  for (const each of [config, ...images]) await target.push(each.descriptor, streamOf(each));
  for (const [i, { descriptor }] of images.entries()) await target.tag(descriptor, tag(`v${i}`));
}

beforeEach(async () => {
  registry = await openLoopback();
  await fill("a/b");
});

afterEach(async () => {
  await registry.close();
});

/** What all pages of a listing have, following `Link`. */
async function follow(path: string, list: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const { body, headers } = await registry.send("GET", next);
    found.push(...((JSON.parse(body.toString()) as Record<string, unknown[]>)[list] ?? []));
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ""))?.[1];
  }
  return found;
}

const lock = (path: string, attributes: object): Promise<unknown> =>
  registry.send("PATCH", `/acr/v1/${path}`, { body: JSON.stringify(attributes) });

describe("ACR's listings", () => {
  test("tell what they tell of each of them", async () => {
    const digest = images[0]?.descriptor.digest ?? "";
    for (const [list, one, at] of [
      ["tags", "_tags/v0", (body: { tag: unknown }) => body.tag],
      ["manifests", `_manifests/${digest}`, (body: { manifest: unknown }) => body.manifest],
    ] as const) {
      const all = JSON.parse((await registry.send("GET", `/acr/v1/a/b/_${list}`)).body.toString()) as object;
      expect(all).toMatchObject({ registry: `127.0.0.1:${registry.port}`, imageName: "a/b" });
      const single = (await registry.send("GET", `/acr/v1/a/b/${one}`)).body.toString();
      const item = at(JSON.parse(single) as { tag: unknown; manifest: unknown });
      expect(item).toMatchObject({ digest, changeableAttributes: free });
      expect((all as Record<string, unknown>)[list]).toContainEqual(item);
    }
  });

  test.each([
    { list: "_tags", key: "tags", by: "name", all: ["v0", "v1", "v2"] },
    { list: "_manifests", key: "manifests", by: "digest", all: digests },
  ])("$list has pages in the order of what last names", async ({ list, key, by, all }) => {
    const path = `/acr/v1/a/b/${list}`;
    for (const n of [1, 2, 3, 1000]) {
      expect(await follow(`${path}?n=${n}`, key)).toMatchObject(all.map((name) => ({ [by]: name })));
    }
    expect(await follow(`${path}?last=${all[0] ?? ""}0&n=1`, key)).toHaveLength(2);
    expect(await follow(`${path}?n=0`, key)).toEqual([]);
    expect(await follow(`${path}?orderby=none`, key)).toHaveLength(3);
    for (const query of ["n=-1", "orderby=timedesc", "digest=x"]) {
      expect((await registry.send("GET", `${path}?${query}`)).status).toBe(400);
    }
  });

  test("_catalog lists what the client may read", async () => {
    await fill("c");
    expect(await follow("/acr/v1/_catalog?n=1", "repositories")).toEqual(["a/b", "c"]);
    await registry.close();
    registry = await openLoopback("none");
    await fill("a/b");
    await fill("c");
    const password = "p".repeat(43);
    registry.tokens.replace([clientToken("reader", password, ["repositories/c/content/read"])]);
    const headers = basic("reader", password);
    const { body } = await registry.send("GET", "/acr/v1/_catalog", { headers });
    expect(JSON.parse(body.toString())).toEqual({ repositories: ["c"] });
    expect((await registry.send("GET", "/acr/v1/a/b/_tags", { headers })).status).toBe(403);
  });

  test("leave out what may not be listed, and a repository that may not be has none", async () => {
    await lock("a/b/_tags/v1", { listEnabled: false });
    await lock(`a/b/_manifests/${digests[1] ?? ""}`, { listEnabled: false });
    expect(await follow("/acr/v1/a/b/_tags", "tags")).toMatchObject([{ name: "v0" }, { name: "v2" }]);
    expect(await follow("/acr/v1/a/b/_manifests", "manifests")).toHaveLength(2);
    await lock("a/b", { listEnabled: false });
    for (const path of ["/acr/v1/a/b/_tags", "/acr/v1/a/b/_manifests", "/v2/a/b/tags/list"]) {
      const answer = await registry.send("GET", path);
      expect(answer).toMatchObject({ status: 405, codes: ["REGISTRY_DISALLOWED_OPERATION"] });
    }
    expect((await registry.send("GET", "/v2/a/b/manifests/v1")).status).toBe(200);
  });

  test.each(["_tags", "_manifests"])("%s of a repository that is not there is 404", async (list) => {
    const answer = await registry.send("GET", `/acr/v1/nobody/${list}`);
    expect(answer).toMatchObject({ status: 404, codes: ["NAME_UNKNOWN"] });
  });
});
