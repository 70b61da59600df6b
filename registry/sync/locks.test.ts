import { mediaTypes } from "../../common/oci/mediatype.ts";
import { image, item, repository, tag, type Item } from "../content/testing/images.ts";
import { World } from "./testing/world.ts";

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  return [config, image(config, [])];
}
const digestOf = (items: readonly Item[]) => items.at(-1)!.descriptor.digest;

describe("a sync that would change what is locked", () => {
  const name = repository("apps/hello");
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    await world.parent.put("apps/hello", imageOf("old"), "1", "2");
    await world.startAndSync();
    await world.parent.put("apps/hello", imageOf("new"), "1", "2");
  });

  afterEach(() => world.close());

  test("fails for the tag by name, and goes on with the others", async () => {
    await world.content.locks.change(name, { kind: "tag", tag: tag("1") }, { writeEnabled: false });
    await world.sync();
    expect(world.status.sync).toMatchObject({
      state: "Partial",
      tags: { copied: 1, failed: 1 },
      failures: [
        {
          repository: "apps/hello",
          tag: "1",
          message: "Here the tag 1 is locked. Unlock it, or leave it out.",
        },
      ],
    });
    await expect(world.here("apps/hello", "1")).resolves.toBe(digestOf(imageOf("old")));
    await expect(world.here("apps/hello", "2")).resolves.toBe(digestOf(imageOf("new")));
  });

  test("fails for every tag of a locked repository, until it is unlocked", async () => {
    await world.content.locks.change(name, { kind: "repository" }, { writeEnabled: false });
    await world.sync();
    expect(world.status.sync).toMatchObject({ state: "Failed", tags: { failed: 2 } });
    const usage = await world.content.usage();
    world.parent.recent();
    await world.sync();
    const [config] = imageOf("new");
    expect(world.parent.recent().filter((ask) => ask.includes(config!.descriptor.digest))).toEqual([]);
    await expect(world.content.usage()).resolves.toBe(usage);
    await world.content.locks.change(name, { kind: "repository" }, { writeEnabled: true });
    // Its second rest is twice as long.
    await world.sync();
    await world.sync();
    await expect(world.here("apps/hello", "1")).resolves.toBe(digestOf(imageOf("new")));
  });
});
