import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../common/clock.ts";
import { parseSettings, type RegistrySettings } from "../common/contract/config.ts";
import { createMetrics } from "../common/metrics.ts";
import { mediaTypes } from "../common/oci/mediatype.ts";
import { eventually } from "../common/testing/eventually.ts";
import type { ManualClock } from "../common/testing/manual-clock.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { LiveConfiguration } from "./configuration/live-configuration.ts";
import { openMemoryContent, type RegistryContent } from "./content/content.ts";
import { image, item, repository, streamOf, tag, type Item } from "./content/testing/images.ts";
import { openLoopback, type Loopback } from "./http/testing/loopback.ts";
import { LinkBudget } from "./link/budget.ts";
import { LinkUsage } from "./link/usage.ts";
import { RemoteRegistry } from "./remote/registry.ts";
import { StatusBoard } from "./sync/telling/board.ts";
import { SyncDetails } from "./sync/telling/details.ts";
import { SyncEngine } from "./sync/engine.ts";
import { createSyncMetrics } from "./sync/telling/metrics.ts";
import { noConfirmations } from "./sync/testing/no-confirmations.ts";
import { noPruning } from "./sync/testing/no-pruning.ts";

const mebibyte = 1024 * 1024;
const day = 86_400;

function imageOf(text: string, bytes: number): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(Buffer.alloc(bytes, text));
  return [config, layer, image(config, [layer])];
}

/** A registry that syncs over HTTP with a parent of ours, and the budget of the link between them. */
describe("a registry whose link has a budget", () => {
  let folder: string;
  let parent: Loopback;
  let content: RegistryContent;
  let clock: ManualClock;
  let board: StatusBoard;
  let live: LiveConfiguration;
  let budget: LinkBudget;
  let stop: AbortController;
  let running: Promise<unknown>;
  /** Bytes of bodies. */
  let received: number;

  const settings = (limits: object): RegistrySettings =>
    parseSettings({
      version: 1,
      name: "edge",
      parent: { loginServer: `127.0.0.1:${parent.port}`, protocol: "http" },
      sync: { repositories: [{ name: "apps/*" }], pollIntervalSeconds: 3600, limits },
    });
  const configure = (limits: object): void => {
    live.replace({ settings: settings(limits), clientTokens: [] });
  };

  async function put(items: readonly Item[], text: string): Promise<void> {
    const there = parent.content.open(repository("apps/hello"));
    for (const each of items) await there.push(each.descriptor, streamOf(each));
    await there.tag(items.at(-1)!.descriptor, tag(text));
  }

  const has = (items: readonly Item[]): Promise<boolean> =>
    content.open(repository("apps/hello")).exists(items.at(-1)!.descriptor);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "link-"));
    parent = await openLoopback("read");
    clock = parent.clock;
    content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
    board = new StatusBoard("0", clock, randomUUID);
    live = new LiveConfiguration({ settings: settings({}), clientTokens: [] });
    stop = new AbortController();
    received = 0;
  });

  afterEach(async () => {
    stop.abort(new Error("the program stops"));
    await running;
    await content.close();
    await parent.close();
    await rm(folder, { recursive: true });
  });

  async function start(limits: object): Promise<void> {
    configure(limits);
    const usage = await LinkUsage.restore(join(folder, "usage.json"), silentLog);
    budget = new LinkBudget(
      {
        usage,
        counted: () => undefined,
        show: (link) => {
          board.update({ link });
        },
        clock,
      },
      live.current.settings,
    );
    live.subscribe((next) => {
      budget.configure(next.settings);
    });
    const metrics = createSyncMetrics(createMetrics());
    const engine = new SyncEngine({
      configuration: live,
      content,
      confirmations: noConfirmations,
      connect: (place, observer) =>
        new RemoteRegistry(place, {
          clock,
          random: () => 0,
          observer: {
            requested: (status) => {
              observer.requested(status);
            },
            received: (bytes) => {
              received += bytes;
              observer.received(bytes);
            },
          },
          gate: budget,
        }),
      linkClosedUntil: () => budget.closedUntil,
      pruner: noPruning,
      board,
      details: new SyncDetails(),
      journal: { read: async () => ({}), write: async () => undefined },
      metrics,
      clock,
      random: () => 0,
      log: silentLog,
    });
    running = Promise.all([engine.run(stop.signal), budget.run(stop.signal)]);
  }

  const synced = (): boolean => board.current.sync?.state === "Succeeded";

  test("T40 a quota that ends within a layer stops there, says until when, and goes on there the next day", async () => {
    const [small, large] = [imageOf("a", 1000), imageOf("b", 4 * mebibyte)];
    await put(small, "1");
    await start({});
    await eventually(synced);
    await put(large, "2");
    configure({ quota: { bytes: budget.status.usedToday + 2 * mebibyte, period: "Day" } });
    await clock.advance(seconds(3600));
    await eventually(() => board.current.postponed !== undefined);
    const until = "2026-01-02T00:00:00.000Z";
    expect(board.current).toMatchObject({
      connectionState: "Online",
      sync: {
        state: "Pending",
        nextTime: until,
        tags: { selected: 2, upToDate: 1, copied: 0, failed: 0, postponed: 1 },
        failures: [],
      },
      postponed: { reason: "LinkQuota", until },
      statusDetails: [],
    });
    // What was on its way when the quota ended: the chunks that the transfers held.
    expect(received).toBeLessThan(2 * mebibyte + 512 * 1024);
    expect(received).toBeGreaterThan(mebibyte);
    await expect(has(large)).resolves.toBe(false);
    await expect(has(small)).resolves.toBe(true);
    const before = received;
    await clock.advance(seconds(20 * 3600));
    expect(received).toBe(before);
    await clock.advance(seconds(day - 20 * 3600));
    await eventually(synced);
    await expect(has(large)).resolves.toBe(true);
    expect(received).toBeLessThan(1.02 * 4 * mebibyte + 20_000);
    expect(board.current.postponed).toBeUndefined();
    expect(board.current.link).toBeDefined();
  });

  test("a greater quota lets it go on at once, without a restart of the transfer", async () => {
    await put(imageOf("a", 4 * mebibyte), "1");
    await start({ quota: { bytes: 2 * mebibyte, period: "Month" } });
    await eventually(() => board.current.postponed !== undefined);
    expect(board.current.postponed?.until).toBe("2026-02-01T00:00:00.000Z");
    configure({ quota: { bytes: 20 * mebibyte, period: "Month" } });
    await eventually(synced);
    expect(received).toBeLessThan(1.02 * 4 * mebibyte + 20_000);
    expect(budget.status.usedThisMonth).toBeGreaterThan(received);
  });

  test("T40 T35 another rate is in effect for the transfer that runs, which does not begin anew", async () => {
    await put(imageOf("a", 4 * mebibyte), "1");
    await start({ bytesPerSecond: 16_384 });
    const begun = clock.now();
    while (received < 300_000) await clock.advance(seconds(1));
    const most = 16_384 * clock.now().diff(begun).as("seconds") + 512 * 1024;
    expect(budget.status.usedToday).toBeLessThan(most);
    expect(board.current.sync?.endTime).toBeUndefined();
    configure({});
    await eventually(synced);
    expect(received).toBeLessThan(1.02 * 4 * mebibyte + 20_000);
    expect(board.current.sync?.trigger).toBe("InitialSync");
  });

  test("what is asked and answered without a body counts as well", async () => {
    await put(imageOf("a", 1000), "1");
    await start({});
    await eventually(synced);
    const before = budget.status.usedToday;
    const bodies = received;
    await clock.advance(seconds(3600));
    await eventually(() => board.current.sync?.trigger === "Schedule");
    // A list, a HEAD, and signs of life: heads in both directions.
    expect(budget.status.usedToday - before).toBeGreaterThan(received - bodies + 500);
  });
});
