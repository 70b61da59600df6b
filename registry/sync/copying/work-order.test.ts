import { digestOf } from "../../../common/oci/digest.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { image, item, repository, tag, type Item } from "../../content/testing/images.ts";
import { noAttachedTags } from "../referrers/attached-tags.ts";
import { everyPlatform } from "../planning/platform.ts";
import type { PlannedTag } from "../planning/sync-plan.ts";
import { settings, World } from "../testing/world.ts";
import { byImage, inOrder } from "./work-order.ts";

const root = { mediaType: mediaTypes.ociManifest, digest: digestOf("new"), size: 3 };

const planned = (name: string, state: "new" | "moved" | "here", digest = root.digest): PlannedTag => ({
  repository: repository("apps/hello"),
  tag: tag(name),
  root: { ...root, digest },
  platforms: everyPlatform,
  referrers: undefined,
  attached: noAttachedTags,
  present: state === "new" ? undefined : digestOf(state),
  here: state === "here" ? [root] : undefined,
});

test("what is new comes before what has moved, what failed before, and what is only looked at again", () => {
  const tags = [
    planned("a", "here"),
    planned("b", "moved"),
    planned("c", "new"),
    planned("d", "new"),
    planned("e", "moved"),
    planned("f", "new"),
  ];
  const order = inOrder(tags, ({ tag: name }) => name === "c" || name === "b").map((each) => each.tag);
  expect(order).toEqual(["d", "f", "e", "b", "c", "a"]);
});

test("tags of one image are one piece of work, where the first of them comes", () => {
  const other = digestOf("other");
  const tags = [planned("a", "new"), planned("b", "new", other), planned("c", "moved")];
  expect(byImage(tags).map((group) => group.map((each) => each.tag))).toEqual([["a", "c"], ["b"]]);
});

test("a small image does not wait for a large one that was begun before it", async () => {
  const imageOf = (text: string, layers: number, size: number): Item[] => {
    const parts = Array.from({ length: layers }, (_, n) => item(`${text} ${n}`.padEnd(size, ".")));
    const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
    return [config, ...parts, image(config, parts)];
  };
  const world = await World.create();
  try {
    world.configure(settings({ concurrency: 1 }));
    const [large, small] = [imageOf("large", 6, 100_000), imageOf("small", 1, 100)];
    await world.parent.put("apps/a", large, "1");
    await world.parent.put("apps/b", small, "1");
    await world.startAndSync();
    const fetched = world.parent.recent().filter((ask) => ask.startsWith("fetch"));
    const at = ({ descriptor }: Item): number => fetched.findIndex((ask) => ask.endsWith(descriptor.digest));
    const layers = large.slice(1, -1).map(at);
    expect(at(small[1]!)).toBeGreaterThan(0);
    expect(layers.filter((place) => place > at(small[1]!)).length).toBeGreaterThanOrEqual(3);
  } finally {
    await world.close();
  }
});
