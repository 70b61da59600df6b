import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics } from "../../common/metrics.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LiveConfiguration } from "../configuration/live-configuration.ts";
import { openContent, type RegistryContent } from "../content/content.ts";
import { image, item, repository, tag, type Item } from "../content/testing/images.ts";
import { checkDatabase } from "../content/rescue/checkup.ts";
import { StatusBoard } from "./telling/board.ts";
import { SyncDetails } from "./telling/details.ts";
import { SyncEngine } from "./engine.ts";
import { createSyncMetrics } from "./telling/metrics.ts";
import { ContentParent, openContent as openMemory } from "./testing/content-parent.ts";
import { noPruning } from "./testing/no-pruning.ts";
import { settings } from "./testing/world.ts";
import type { TagConfirmations } from "./planning/tag-confirmations.ts";

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, layer, image(config, [layer])];
}

/** A rule of freshness says that no tag ever changes. */
const immutable: TagConfirmations = { immutable: () => true, note: () => undefined };

describe("RecoveryService", () => {
  const clock = new ManualClock();
  let data: string;
  let parent: ContentParent;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "recovery-"));
    parent = new ContentParent(await openMemory(clock));
    for (const text of ["1", "2", "3"]) await parent.put("apps/hello", imageOf(text), text);
  });

  afterEach(async () => {
    await parent.content.close();
    await rm(data, { recursive: true });
  });

  /** Runs a registry on what lies in `data` until a sync of this kind has ended. @returns what its parent was asked */
  async function syncUntil(
    trigger: string,
    prepare: (engine: SyncEngine, content: RegistryContent) => Promise<void> | void = () => undefined,
  ): Promise<readonly string[]> {
    const content = await openContent(data, {
      ...{ clock, newId: randomUUID, quota: () => undefined },
      // In this process: the databases of this test are small.
      checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
    });
    const board = new StatusBoard("0", clock, randomUUID);
    const engine = new SyncEngine({
      configuration: new LiveConfiguration({ settings: settings(), clientTokens: [] }),
      ...{ content, board, clock },
      confirmations: immutable,
      connect: () => parent,
      linkClosedUntil: () => undefined,
      pruner: noPruning,
      details: new SyncDetails(),
      journal: { read: async () => ({ doneTime: clock.now().toISO() }), write: async () => undefined },
      metrics: createSyncMetrics(createMetrics()),
      random: () => 0,
      log: silentLog,
    });
    parent.recent();
    await prepare(engine, content);
    const stop = new AbortController();
    const running = engine.run(stop.signal);
    await eventually(() => {
      const { sync } = board.current;
      return sync?.trigger === trigger && sync.endTime !== undefined;
    }, trigger);
    expect(board.current.sync).toMatchObject({ state: "Succeeded", tags: { selected: 3, failed: 0 } });
    stop.abort(new Error("the program stops"));
    await running;
    for (const text of ["1", "2", "3"]) {
      const found = await content.open(repository("apps/hello")).resolve(tag(text));
      expect(found.digest).toBe(imageOf(text).at(-1)!.descriptor.digest);
    }
    await content.close();
    return parent.recent();
  }

  const fetched = (asks: readonly string[], at: number): readonly string[] =>
    ["1", "2", "3"].filter((text) =>
      asks.includes(`fetch apps/hello@${imageOf(text)[at]!.descriptor.digest}`),
    );

  test("after the loss of the database brings manifests, and no byte of a layer that is still here", async () => {
    expect(fetched(await syncUntil("Schedule"), 1)).toEqual(["1", "2", "3"]);
    const lost = (await readdir(data)).filter((name) => name.startsWith("registry.db"));
    expect(lost).toContain("registry.db");
    for (const name of [...lost, "backups"]) await rm(join(data, name), { recursive: true, force: true });
    const asks = await syncUntil("RecoveryService", (engine) => {
      engine.recover();
    });
    expect([fetched(asks, 0), fetched(asks, 1)]).toEqual([[], []]);
    expect(fetched(asks, 2)).toEqual(["1", "2", "3"]);
  });

  test("asks for every tag, also for those of which a rule says that they never change", async () => {
    await syncUntil("Schedule");
    const resolved = (asks: readonly string[]): number =>
      asks.filter((ask) => ask.startsWith("resolve")).length;
    expect(resolved(await syncUntil("Schedule"))).toBe(0);
    const asks = await syncUntil("RecoveryService", (engine) => {
      engine.recover();
    });
    expect(resolved(asks)).toBe(3);
  });
});
