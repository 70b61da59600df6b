import { seconds } from "../../../common/clock.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { image, item, type Item } from "../../content/testing/images.ts";
import { ContentNotFoundError } from "../../content/store.ts";
import { createProgressMetrics } from "./metrics.ts";
import { World } from "../testing/world.ts";

const name = "apps/hello";
const shared = item("a layer that all share".padEnd(1000));

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, shared, layer, image(config, [shared, layer])];
}
const sizeOf = (...items: readonly (Item | undefined)[]): number =>
  items.reduce((sum, each) => sum + (each?.descriptor.size ?? 0), 0);

describe("what a sync tells", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
  });

  afterEach(() => world.close());

  test("while it runs: how far it is, without anybody having to wait for the end of a tag", async () => {
    for (const text of ["a", "b"]) await world.parent.put(name, imageOf(text), text);
    await world.parent.put("apps/other", imageOf("b"), "b");
    const layer = imageOf("a")[2]!;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.parent.fault = (ask) => (ask === `fetch ${name}@${layer.descriptor.digest}` ? held : undefined);
    world.start();
    try {
      await eventually(() => world.status.sync?.tags.copied === 2, "all but one");
      await world.clock.advance(seconds(1));
      expect(world.status).toMatchObject({
        connectionState: "Syncing",
        sync: { state: "Syncing", repositories: { planned: 2, done: 1 }, tags: { selected: 3, copied: 2 } },
      });
      let changes = 0;
      const unsubscribe = world.board.subscribe(() => (changes += 1));
      await world.clock.advance(seconds(5));
      unsubscribe();
      expect(changes).toBeGreaterThanOrEqual(5);
    } finally {
      release();
    }
    await eventually(() => world.status.sync?.endTime !== undefined);
    const [config, , own] = imageOf("b");
    expect(world.status.sync).toMatchObject({
      state: "Succeeded",
      repositories: { planned: 2, done: 2 },
      bytesPlanned: sizeOf(shared, config, own, imageOf("a")[0], layer),
      // Once for the second image, and all of the image that another repository has.
      bytesSaved: sizeOf(shared, shared, config, own),
    });
    expect(world.status.sync).not.toHaveProperty("estimatedEndTime");
  });

  test("of how far it is behind the parent: since when all was here", async () => {
    await world.parent.put(name, imageOf("a"), "a");
    await world.startAndSync();
    const first = world.clock.now().toISO();
    expect(world.status.upToDateAsOf).toBe(first);
    world.parent.fault = (ask) => {
      if (ask.startsWith("resolve")) throw new ContentNotFoundError(shared.descriptor.digest);
    };
    await world.sync();
    expect(world.status).toMatchObject({ upToDateAsOf: first, sync: { state: "Failed" } });
    world.parent.fault = () => undefined;
    await world.sync();
    expect(world.status.upToDateAsOf).toBe(world.clock.now().toISO());
  });

  test("of what failed: when it is tried again, and all of it beside the few", async () => {
    for (let i = 0; i < 30; i++) await world.parent.put(name, imageOf(String(i)), `tag-${i}`);
    world.parent.fault = (ask) => {
      if (ask.startsWith("fetch")) throw new ContentNotFoundError(shared.descriptor.digest);
    };
    await world.startAndSync();
    const { sync } = world.status;
    expect(sync?.failures).toHaveLength(10);
    expect(sync?.failures[0]?.retryTime).toBe(world.clock.now().plus({ seconds: 5 }).toISO());
    expect(sync?.failureReasons).toEqual([{ message: sync?.failures[0]?.message, count: 30 }]);
    expect(world.details.failures).toHaveLength(30);
  });

  test("of the syncs before: those that did something, also after a restart", async () => {
    await world.parent.put(name, imageOf("a"), "a");
    await world.startAndSync();
    await world.sync();
    await world.parent.put(name, imageOf("b"), "b");
    await world.sync();
    await world.stop();
    world.details.runs = [];
    world.start();
    await eventually(() => world.details.runs.length > 0);
    expect(world.details.runs).toMatchObject([
      { trigger: "Schedule", tags: { copied: 1 } },
      { trigger: "InitialSync", tags: { copied: 1 } },
    ]);
  });

  test("as metrics, what the status says", async () => {
    createProgressMetrics(world.metrics, () => world.status);
    expect(await world.metrics.metrics()).toContain("connected_registry_sync_up_to_date_timestamp_seconds 0");
    await world.parent.put(name, imageOf("a"), "a", "b");
    await world.startAndSync();
    const text = await world.metrics.metrics();
    for (const line of [
      `connected_registry_sync_up_to_date_timestamp_seconds ${world.clock.now().toSeconds()}`,
      "connected_registry_sync_running 0",
      'connected_registry_sync_run_tags{outcome="copied"} 2',
      'connected_registry_sync_run_tags{outcome="open"} 0',
      `connected_registry_sync_run_bytes{kind="planned"} ${sizeOf(...imageOf("a").slice(0, 3))}`,
    ]) {
      expect(text).toContain(line);
    }
  });
});
