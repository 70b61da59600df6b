import { mediaTypes } from "../../common/oci/mediatype.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { RegistryContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag, type Item } from "../content/testing/images.ts";
import { NotFoundError, UnauthorizedError, UnreachableError } from "../remote/errors.ts";
import { ContentParent, openContent } from "../sync/testing/content-parent.ts";
import { settings } from "../sync/testing/world.ts";
import { preview, type Preview } from "./preview.ts";

const name = "apps/hello";
const shared = item("a layer that all share");

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, shared, layer, image(config, [shared, layer])];
}
const root = (items: readonly Item[]): Item => items.at(-1)!;
const bytesOf = (...items: readonly Item[]): number =>
  items.reduce((sum, { descriptor }) => sum + descriptor.size, 0);

describe("a preview", () => {
  let content: RegistryContent;
  let parent: ContentParent;

  beforeEach(async () => {
    content = await openContent(new ManualClock());
    parent = new ContentParent(await openContent(new ManualClock()));
  });

  afterEach(async () => {
    await content.close();
    await parent.content.close();
  });

  const look = (rule: object = {}, signal = new AbortController().signal): Promise<Preview> =>
    preview({
      sync: settings({ repositories: [{ name, ...rule }] }).sync!,
      source: parent,
      target: content,
      progress: () => undefined,
      signal,
    });
  const bring = async (into: string, items: readonly Item[], ...tags: string[]): Promise<void> => {
    const target = content.open(repository(into));
    for (const each of items) await target.push(each.descriptor, streamOf(each));
    for (const text of tags) await target.tag(root(items).descriptor, tag(text));
  };
  const states = ({ entries }: Preview): Record<string, string> =>
    Object.fromEntries(entries.map((entry) => [entry.tag ?? "", entry.state]));

  test("says of each tag what a sync would do, and asks for no layer", async () => {
    for (const text of ["here", "changed", "new", "rc"]) await parent.put(name, imageOf(text), text);
    await bring(name, imageOf("here"), "here");
    await bring(name, imageOf("before"), "changed");
    parent.recent();
    const found = await look({ tags: { exclude: ["rc"] } });
    expect(states(found)).toEqual({ here: "Here", changed: "Changed", new: "New", rc: "LeftOut" });
    expect(found.repositories).toEqual([
      {
        ...{ repository: name, selected: 3, here: 1, toFetch: 2, leftOut: 1, failed: 0 },
        bytes: [imageOf("changed"), imageOf("new")].reduce(
          (sum, [config, , layer, manifest]) => sum + bytesOf(config!, layer!, manifest!),
          0,
        ),
        reasons: [{ reason: "excluded", count: 1 }],
      },
    ]);
    const fetched = parent.recent().filter((ask) => ask.startsWith("fetch"));
    expect([...fetched].sort()).toEqual(
      ["changed", "new"].map((text) => `fetch ${name}@${root(imageOf(text)).descriptor.digest}`).sort(),
    );
    const target = content.open(repository(name));
    await expect(target.resolve(tag("changed"))).resolves.toEqual(root(imageOf("before")).descriptor);
  });

  test("counts each content once, and none that another repository has", async () => {
    await parent.put(name, imageOf("a"), "a", "also-a");
    await parent.put(name, imageOf("b"), "b");
    await bring("other", imageOf("c"), "c");
    const { repositories } = await look();
    const all = [...imageOf("a"), ...imageOf("b")].filter((each) => each !== shared);
    expect(repositories[0]?.bytes).toBe(bytesOf(...all));
  });

  test("counts what is attached to new images, as far as the rule wants it", async () => {
    const items = imageOf("a");
    await parent.put(name, items, "a");
    const config = item("{}", mediaTypes.ociConfig);
    const signature = item("signature");
    const referrer = image(config, [signature], { subject: root(items).descriptor, artifactType: "sig/a" });
    await parent.put(name, [config, signature, referrer]);
    const image_ = bytesOf(...items);
    expect((await look()).repositories[0]?.bytes).toBe(image_ + bytesOf(config, signature, referrer));
    expect((await look({ referrerTypes: ["sbom/*"] })).repositories[0]?.bytes).toBe(image_);
    expect((await look({ referrers: false })).repositories[0]?.bytes).toBe(image_);
  });

  test("T17 an image that is here lacks what was attached to it since, whatever tags it has", async () => {
    const items = imageOf("a");
    await parent.put(name, items, "a", "also-a");
    await bring(name, items, "a", "also-a");
    expect(states(await look())).toEqual({ a: "Here", "also-a": "Here" });
    const config = item("{}", mediaTypes.ociConfig);
    const signature = item("signature");
    const referrer = image(config, [signature], { subject: root(items).descriptor, artifactType: "sig/a" });
    await parent.put(name, [config, signature, referrer]);
    parent.recent();
    const found = await look();
    expect(Object.values(states(found)).sort()).toEqual(["Here", "Incomplete"]);
    expect(found.repositories[0]?.bytes).toBe(bytesOf(config, signature, referrer));
    const subjects = [root(items), referrer].map(
      ({ descriptor }) => `referrers ${name}@${descriptor.digest}`,
    );
    expect(parent.recent().filter((ask) => ask.startsWith("referrers"))).toEqual(subjects);
    expect(states(await look({ referrers: false }))).toEqual({ a: "Here", "also-a": "Here" });
  });

  test("tells images that are too big from others, by what they are", async () => {
    await parent.put(name, imageOf("a"), "a");
    const found = await look({ maxSizeBytes: 10 });
    expect(found.entries).toEqual([
      {
        ...{ repository: name, tag: "a", state: "LeftOut", reason: "bigger than maxSize" },
        digest: root(imageOf("a")).descriptor.digest,
      },
    ]);
  });

  test("T01 an image that lacks something here is to be completed", async () => {
    const items = imageOf("a");
    await parent.put(name, items, "a");
    await bring(name, items, "a");
    await content.scrubbed.quarantine.blob(items[2]!.descriptor.digest, items[2]!.descriptor.size, "bad", 0);
    const found = await look();
    expect(found.entries).toMatchObject([{ state: "Incomplete", bytes: items[2]!.descriptor.size }]);
  });

  test("T13 what cannot be looked at is named, and keeps nothing else back", async () => {
    for (const text of ["a", "b"]) await parent.put(name, imageOf(text), text);
    parent.fault = (ask) => {
      if (ask === `fetch ${name}@${root(imageOf("a")).descriptor.digest}`) throw new NotFoundError("gone");
    };
    expect(states(await look())).toEqual({ a: "Failed", b: "New" });
  });

  test.each([
    { error: new UnauthorizedError("no"), away: false, because: "nobody will get in" },
    { error: new UnreachableError("no"), away: true, because: "nobody is there" },
  ])("ends where every question would fail: $because", async ({ error, away }) => {
    for (const text of ["a", "b", "c"]) await parent.put(name, imageOf(text), text);
    parent.fault = (ask) => {
      if (!ask.startsWith("resolve")) return;
      parent.away = away;
      throw error;
    };
    const { ending } = await look();
    expect(ending).toBe(error);
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    parent.fault = () => {
      stop.abort(new Error("enough"));
    };
    await expect(look({}, stop.signal)).rejects.toThrow("enough");
  });
});
