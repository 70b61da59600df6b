import { seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { image, index, item, repository, tag, type Item } from "../content/testing/images.ts";
import { Absences } from "./absences.ts";
import { Edge, fetches, large } from "./testing/edge.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(large("layer"));
const small = item("a small layer");
const app = image(config, [layer, small]);
const items = [config, layer, small, app];

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.open();
  await edge.parent.put("apps/hello", items, "v1");
});

afterEach(async () => {
  await edge.close();
});

test("an image that is not here is fetched, once, and is here then", async () => {
  const [root, ...blobs] = await edge.pull("apps/hello", "v1");
  expect(root?.body).toEqual(app.bytes);
  expect(root?.headers).toMatchObject({
    "docker-content-digest": app.descriptor.digest,
    "content-type": app.descriptor.mediaType,
  });
  expect(blobs.map(({ body }) => body)).toEqual([config, layer, small].map(({ bytes }) => bytes));
  await edge.eventuallyHas("apps/hello", "v1");
  const asked = edge.parent.recent();
  expect(items.map((each) => fetches(asked, each))).toEqual([1, 1, 1, 1]);
  const again = await edge.pull("apps/hello", "v1");
  expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(edge.parent.recent()).toEqual([]);
});

test("fifty that want the same at once cost the parent one request for each thing (T38, T39)", async () => {
  const pulls = await Promise.all(Array.from({ length: 50 }, () => edge.pull("apps/hello", "v1")));
  for (const [root, ...blobs] of pulls) {
    expect(root?.body).toEqual(app.bytes);
    expect(blobs.map(({ body }) => body.equals(layer.bytes))).toEqual([false, true, false]);
  }
  await edge.eventuallyHas("apps/hello", "v1");
  const asked = edge.parent.recent();
  expect(asked.filter((ask) => ask.startsWith("resolve"))).toHaveLength(1);
  expect(items.map((each) => fetches(asked, each))).toEqual([1, 1, 1, 1]);
  await expect(edge.metric("demand_fetched_total", { kind: "blob" })).resolves.toBe(3);
  await expect(edge.metric("demand_fetched_total", { kind: "manifest" })).resolves.toBe(1);
});

test("all that wait get the failure, too (T38)", async () => {
  const gate = Promise.withResolvers<undefined>();
  edge.parent.fault = async (ask) => {
    if (!ask.startsWith("resolve")) return;
    await gate.promise;
    throw new Error("the parent has a fault");
  };
  const pulls = Array.from({ length: 20 }, () => edge.get("apps/hello/manifests/v1"));
  await eventually(() => edge.registry.clock.sleeping === 20, "all that wait");
  gate.resolve(undefined);
  const answers = await Promise.all(pulls);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(edge.parent.recent()).toHaveLength(1);
  await expect(edge.metric("demand_requests_total", { kind: "manifest", outcome: "failed" })).resolves.toBe(
    20,
  );
});

describe.each([
  { policy: "Never", name: "apps/hello", reference: "v1", found: false, because: "nothing is fetched" },
  { policy: "Selected", name: "apps/hello", reference: "v1", found: true, because: "a rule selects it" },
  { policy: "Selected", name: "apps/hello", reference: "v2", found: false, because: "no rule selects it" },
  { policy: "Selected", name: "base/os", reference: "v1", found: false, because: "no rule is about it" },
  { policy: "Any", name: "base/os", reference: "v1", found: true, because: "the parent has it" },
  { policy: "Any", name: "base/os", reference: "v3", found: false, because: "the parent does not have it" },
  { policy: "Any", name: "base/no", reference: "v1", found: false, because: "there is no such repository" },
  {
    policy: "Any",
    name: "base/os",
    reference: app.descriptor.digest,
    found: true,
    because: "digests are names, too",
  },
  {
    policy: "Selected",
    name: "apps/hello",
    reference: app.descriptor.digest,
    found: false,
    because: "no rule can tell whether it belongs to a tag that is selected",
  },
])("policy $policy", ({ policy, name, reference, found, because }) => {
  test(`${found ? "fetches" : "does not fetch"} ${name} ${reference}: ${because}`, async () => {
    await edge.parent.put("apps/hello", items, "v2");
    await edge.parent.put("base/os", items, "v1");
    edge.configure({
      repositories: [{ name: "apps/*", tags: { include: ["v1"] } }],
      onDemand: { policy },
    });
    const [root] = await edge.pull(name, reference);
    expect(root?.status).toBe(found ? 200 : 404);
  });
});

test("where nothing is fetched nobody is asked", async () => {
  edge.configure({ onDemand: { policy: "Never" } });
  await edge.pull("apps/hello", "v1");
  expect((await edge.get(`apps/hello/blobs/${layer.descriptor.digest}`)).status).toBe(404);
  expect(edge.parent.recent()).toEqual([]);
});

test("what a client deleted here does not come back while the parent does not know of that", async () => {
  edge.goesUp = true;
  await edge.pull("apps/hello", "v1");
  await edge.eventuallyHas("apps/hello", "v1");
  await edge.registry.content.open(repository("apps/hello")).untag(tag("v1"));
  expect((await edge.get("apps/hello/manifests/v1")).status).toBe(404);
});

test("where a rule selects every tag, digests are fetched as well", async () => {
  const [root, ...blobs] = await edge.pull("apps/hello", app.descriptor.digest);
  expect([root, ...blobs].map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
  await edge.eventuallyHas("apps/hello", app.descriptor.digest);
});

test("asking whether it is there fetches no blob", async () => {
  const head = await edge.registry.send("HEAD", "/v2/apps/hello/manifests/v1");
  expect([head.status, head.headers["docker-content-digest"]]).toEqual([200, app.descriptor.digest]);
  expect(edge.parent.recent()).toHaveLength(2);
  await edge.pull("apps/hello", app.descriptor.digest);
  await edge.eventuallyHas("apps/hello", "v1");
});

describe("what the parent does not have", () => {
  const miss = async (reference = "v9"): Promise<number> =>
    (await edge.get(`apps/hello/manifests/${reference}`)).status;
  const asked = (): readonly string[] => edge.parent.recent();

  test("is asked for once, however often clients ask in a few seconds", async () => {
    for (let turn = 0; turn < 20; turn++) await expect(miss()).resolves.toBe(404);
    await expect(edge.metric("demand_requests_total", { kind: "manifest", outcome: "absent" })).resolves.toBe(
      20,
    );
    expect(asked()).toEqual(["resolve apps/hello:v9"]);
    await miss("v8");
    expect(asked()).toEqual(["resolve apps/hello:v8"]);
  });

  test("is found soon after it has come there", async () => {
    await miss("v2");
    await edge.parent.put("apps/hello", items, "v2");
    await expect(miss("v2")).resolves.toBe(404);
    await edge.registry.clock.advance(seconds(5));
    await expect(miss("v2")).resolves.toBe(200);
  });

  test("is asked for again where another parent, or other rules, may have it", async () => {
    await miss("v2");
    edge.onDemand.forget();
    await miss("v2");
    expect(asked()).toHaveLength(2);
  });

  test("is one thing, and what may not be fetched is another: that is found as soon as it may", async () => {
    const child = image(config, [small], { annotations: { text: "child" } });
    await edge.parent.put("apps/hello", [config, small, child, index([child])], "multi");
    edge.configure({ repositories: [{ name: "apps/*", tags: { include: ["multi"] } }] });
    await expect(miss(child.descriptor.digest)).resolves.toBe(404);
    await expect(miss("multi")).resolves.toBe(200);
    await expect(miss(child.descriptor.digest)).resolves.toBe(200);
  });

  test("is no matter of a parent that fails: it is asked again", async () => {
    edge.parent.fault = () => {
      throw new Error("the parent has a fault");
    };
    await expect(miss()).resolves.toBe(503);
    edge.parent.fault = () => undefined;
    await expect(miss("v1")).resolves.toBe(200);
    await expect(miss()).resolves.toBe(404);
  });

  test("is remembered of the newest two thousand only", async () => {
    const absences = new Absences(edge.registry.clock);
    for (let name = 0; name < 2_001; name++) absences.note(String(name));
    expect(["0", "1", "2000"].map((name) => absences.has(name))).toEqual([false, true, true]);
  });
});

describe("what a client may read", () => {
  test("is decided before anybody is asked", async () => {
    await edge.close();
    edge = await Edge.open("none");
    await edge.parent.put("apps/hello", items, "v1");
    for (const path of [`manifests/v1`, `blobs/${layer.descriptor.digest}`]) {
      expect((await edge.get(`apps/hello/${path}`)).status).toBe(401);
    }
    expect(edge.parent.recent()).toEqual([]);
  });

  test("is what the parent has in that very repository, whatever is here in others (S20)", async () => {
    await edge.pull("apps/hello", "v1");
    await edge.eventuallyHas("apps/hello", "v1");
    await edge.parent.put("apps/other", [small]);
    edge.parent.recent();
    for (const { digest } of [layer.descriptor, config.descriptor]) {
      expect((await edge.get(`apps/other/blobs/${digest}`)).status).toBe(404);
    }
    expect((await edge.get(`apps/other/manifests/${app.descriptor.digest}`)).status).toBe(404);
    const other = edge.registry.content.open(repository("apps/other"));
    await expect(other.exists(layer.descriptor)).resolves.toBe(false);
    expect(edge.parent.recent().filter((ask) => ask.startsWith("fetch"))).toEqual([]);
    // And what is there, and here already, is not fetched again.
    expect((await edge.get(`apps/other/blobs/${small.descriptor.digest}`)).body).toEqual(small.bytes);
  });
});

describe("of an image for several platforms", () => {
  const parts = (name: string): readonly Item[] => {
    const own = item(large(name, 100_000));
    return [config, own, image(config, [own], { annotations: { name } })];
  };
  const [amd64, arm64] = [parts("amd64"), parts("arm64")];
  const platforms = index([amd64.at(-1)!, arm64.at(-1)!]);

  beforeEach(async () => {
    await edge.parent.put("apps/multi", [...amd64, ...arm64, platforms], "v1");
  });

  test("only the one that is asked for is fetched (T42)", async () => {
    await edge.pull("apps/multi", "v1");
    await edge.eventuallyHas("apps/multi", "v1");
    const asked = edge.parent.recent();
    expect([...amd64, platforms].map((each) => fetches(asked, each))).toEqual([1, 1, 1, 1]);
    expect(arm64.slice(1).map((each) => fetches(asked, each))).toEqual([0, 0]);
    expect(edge.has("apps/multi", arm64.at(-1)!.descriptor.digest)).toBe(false);
  });

  test("another one comes when it is asked for, though the index is here", async () => {
    edge.configure({ repositories: [{ name: "apps/*", tags: { exclude: ["x"] } }] });
    await edge.pull("apps/multi", "v1");
    await edge.eventuallyHas("apps/multi", "v1");
    edge.onDemand.forget();
    const { digest } = arm64.at(-1)!.descriptor;
    expect((await edge.pull("apps/multi", digest)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await edge.eventuallyHas("apps/multi", digest);
  });

  test("none is fetched that the rule does not want", async () => {
    const [first, second] = [amd64.at(-1)!, arm64.at(-1)!].map(({ descriptor }, i) => ({
      ...descriptor,
      platform: { os: "linux", architecture: ["amd64", "arm64"][i] },
    }));
    const named = item(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: platforms.descriptor.mediaType,
        manifests: [first, second],
      }),
      platforms.descriptor.mediaType,
    );
    await edge.parent.put("apps/multi", [named], "v2");
    edge.configure({
      repositories: [{ name: "apps/*", platforms: ["linux/amd64"], tags: { exclude: ["x"] } }],
    });
    await edge.get("apps/multi/manifests/v2");
    expect((await edge.get(`apps/multi/manifests/${second!.digest}`)).status).toBe(404);
    expect((await edge.get(`apps/multi/manifests/${first!.digest}`)).status).toBe(200);
  });
});
