import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const one = image(config, []);
const password = "p".repeat(43);

let registry: Loopback;

async function fill(name: string, tags: readonly string[] = []): Promise<void> {
  const target = registry.content.open(repository(name));
  for (const each of [config, one]) await target.push(each.descriptor, streamOf(each));
  const { mediaType } = one.descriptor;
  if (tags.length > 0) await target.putManifest(one.bytes, mediaType, { tags: tags.map(tag) });
}

/** Every page of `path`, and how many items each has. */
async function follow(
  path: string,
  key: "tags" | "repositories",
  headers = {},
): Promise<{ items: string[]; sizes: number[] }> {
  const items: string[] = [];
  const sizes: number[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const answer = await registry.send("GET", next, { headers });
    expect(answer.status).toBe(200);
    const page = (JSON.parse(answer.body.toString()) as Record<string, string[]>)[key] ?? [];
    items.push(...page);
    sizes.push(page.length);
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ""))?.[1];
  }
  return { items, sizes };
}

beforeEach(async () => {
  registry = await openLoopback();
});

afterEach(async () => {
  await registry.close();
});

test.each(["tags/list", "_catalog"])("S01 %s is bounded, whatever is asked for", async (list) => {
  await fill("a/b");
  const path = list === "_catalog" ? "/v2/_catalog" : `/v2/a/b/${list}`;
  for (const n of ["2147483647", "1".padEnd(31, "0"), "0", "007"]) {
    expect((await registry.send("GET", `${path}?n=${n}`)).status).toBe(200);
  }
  for (const n of ["-1", "NaN", "1e30", "", "x", "1.5", "0x10", "+1", "%00", "1".repeat(101)]) {
    const answer = await registry.send("GET", `${path}?n=${n}`);
    expect(answer).toMatchObject({ status: 400, codes: ["UNSUPPORTED"] });
  }
  const answer = await registry.send("GET", `${path}?last=${"x".repeat(513)}`);
  expect(answer).toMatchObject({ status: 400, codes: ["NAME_INVALID"] });
});

test("S01 a page has at most 1,000 tags, and Link leads to the others", async () => {
  const tags = [...Array(2100).keys()].map((n) => `t${String(n).padStart(5, "0")}`);
  await fill("a/b", tags);
  const { items, sizes } = await follow("/v2/a/b/tags/list?n=1000000", "tags");
  expect(items).toEqual(tags);
  expect(sizes).toEqual([1000, 1000, 100]);
});

test("T15 tags that are beginnings of others are all there", async () => {
  const tags = ["0.1", "0.1.2", "0.1.2-x", "0.1.20", "0.1.2_a"];
  await fill("a/b", tags);
  for (const n of [1, 2, 100]) expect((await follow(`/v2/a/b/tags/list?n=${n}`, "tags")).items).toEqual(tags);
});

test("a catalog has the repositories that the client may read, page by page", async () => {
  const names = ["apps", "apps-x/a", "apps/a", "apps/b/c", "apps0/a", "other", "zoo"];
  await registry.close();
  registry = await openLoopback("none");
  for (const name of names) await fill(name);
  const rows: readonly { rules: readonly string[]; sees: readonly string[] }[] = [
    { rules: ["*"], sees: names },
    { rules: ["apps/*"], sees: ["apps/a", "apps/b/c"] },
    { rules: ["apps"], sees: ["apps"] },
    {
      rules: ["apps/*", "apps", "apps/a", "zoo", "nobody", "apps/b/*"],
      sees: ["apps", "apps/a", "apps/b/c", "zoo"],
    },
    { rules: [], sees: [] },
  ];
  const headers = basic("someone", password);
  for (const { rules, sees } of rows) {
    const actions = rules.map((rule) => `repositories/${rule}/content/read`);
    registry.tokens.replace([clientToken("someone", password, actions)]);
    for (const n of [1, 2, 100]) {
      const { items } = await follow(`/v2/_catalog?n=${n}`, "repositories", headers);
      expect(items).toEqual(sees);
    }
  }
});
