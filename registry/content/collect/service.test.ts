import { randomUUID } from "node:crypto";
import { seconds } from "../../../common/clock.ts";
import { parseSettings } from "../../../common/contract/config.ts";
import { createMetrics } from "../../../common/metrics.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { openMemoryContent, type RegistryContent } from "../content.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";
import { createCollectionMetrics } from "./metrics.ts";
import { GarbageCollection } from "./service.ts";

const minute = seconds(60);
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");

describe("the collection of garbage", () => {
  let clock: ManualClock;
  let content: RegistryContent;
  let given: object;
  let mayExpire: boolean;
  let told: (string | undefined)[];
  let metrics: ReturnType<typeof createMetrics>;
  let stop: AbortController;
  let service: GarbageCollection;
  let done: Promise<void>;

  beforeEach(async () => {
    clock = new ManualClock("2026-01-01T00:00:00Z");
    content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
    given = {};
    mayExpire = true;
    told = [];
    metrics = createMetrics();
    start();
  });

  afterEach(async () => {
    await end();
    await content.close();
  });

  function start(): void {
    metrics = createMetrics();
    service = new GarbageCollection({
      collector: content.collector,
      settings: () => parseSettings({ version: 1, name: "edge", ...given }),
      mayExpire: () => mayExpire,
      wanted: () => false,
      metrics: createCollectionMetrics(metrics),
      tell: (fault) => told.push(fault),
      clock,
      log: silentLog,
    });
    stop = new AbortController();
    done = service.run(stop.signal);
  }

  async function end(): Promise<void> {
    stop.abort();
    await done;
  }

  /** Lets time pass, minute by minute, and what is begun end. */
  async function pass(minutes: number): Promise<void> {
    for (let n = 0; n < minutes; n++) {
      await eventually(() => clock.sleeping === 2, "both to sleep");
      await clock.advance(minute);
    }
    await eventually(() => clock.sleeping === 2, "both to sleep");
  }

  async function pushGarbage(): Promise<void> {
    await content.open(repository("team/a")).push(layer.descriptor, streamOf(layer));
  }

  test("waits for its schedule, then says what it did in status and metrics", async () => {
    await pushGarbage();
    given = { garbageCollection: { schedule: "0 3 * * *", graceSeconds: 60 } };
    await pass(179);
    expect(service.status).toEqual({ running: false, nextTime: "2026-01-01T03:00:00.000Z" });
    await pass(1);
    expect(service.status).toMatchObject({
      running: false,
      nextTime: "2026-01-02T03:00:00.000Z",
      last: { state: "Succeeded", startTime: "2026-01-01T03:00:00.000Z", bytes: 9, removed: { blob: 1 } },
    });
    expect(told).toEqual([undefined]);
    const text = await metrics.metrics();
    expect(text).toContain('connected_registry_gc_runs_total{state="Succeeded"} 1');
    expect(text).toContain('connected_registry_gc_runs_total{state="Failed"} 0');
    expect(text).toContain('connected_registry_gc_removed_total{kind="blob"} 1');
    expect(text).toContain("connected_registry_gc_removed_bytes_total 9");
    await pass(60);
    expect(service.status.last?.startTime).toBe("2026-01-01T03:00:00.000Z");
  });

  test("makes up after a restart for what was missed, once", async () => {
    given = { garbageCollection: { schedule: "0 3 * * *" } };
    await pass(180);
    await end();
    await clock.advance(seconds(36 * 3600));
    start();
    expect(service.status.last?.startTime).toBe("2026-01-01T03:00:00.000Z");
    await pass(1);
    expect(service.status.last?.startTime).toBe("2026-01-02T15:01:00.000Z");
    await pass(5);
    expect(service.status.last?.startTime).toBe("2026-01-02T15:01:00.000Z");
  });

  test("does nothing while it is switched off", async () => {
    await pushGarbage();
    given = { garbageCollection: { enabled: false, schedule: "* * * * *", graceSeconds: 60 } };
    await pass(10);
    expect(service.status).toEqual({ running: false });
    given = { garbageCollection: { schedule: "* * * * *", graceSeconds: 60 } };
    await pass(1);
    expect(service.status.last?.removed.blob).toBe(1);
  });

  test("T71 removes nothing when it is told to say only", async () => {
    await pushGarbage();
    given = { garbageCollection: { schedule: "* * * * *", graceSeconds: 60, dryRun: true } };
    await pass(2);
    expect(service.status.last).toMatchObject({ dryRun: true, removed: { blob: 1 } });
    await expect(content.usage()).resolves.toBe(9);
    await expect(metrics.metrics()).resolves.toContain("connected_registry_gc_removed_bytes_total 0");
  });

  test("T53 T58 lets nothing age while the parent is away, or when it was long away itself", async () => {
    const target = content.open(repository("team/a"));
    const manifest = image(config, []);
    await target.push(config.descriptor, streamOf(config));
    await target.push(manifest.descriptor, streamOf(manifest));
    await target.tag(manifest.descriptor, tag("v1"));
    given = {
      garbageCollection: { schedule: "0 3 * * *" },
      retention: [{ repositories: ["**"], tags: [{ include: ["*"], keepPushedWithinSeconds: 60 }] }],
    };
    mayExpire = false;
    await pass(180);
    expect(service.status.last).toMatchObject({ expiryPostponed: 1, removed: { tag: 0 } });
    mayExpire = true;
    await end();
    await clock.advance(seconds(31 * 86_400));
    start();
    await pass(1);
    expect(service.status.last).toMatchObject({ expiryPostponed: 1, removed: { tag: 0 } });
    await pass(24 * 60);
    expect(service.status.last).toMatchObject({ expiryPostponed: 0, removed: { tag: 1, manifest: 1 } });
  });

  test("T58 a clock that is set forward takes no grace from what was pushed just before", async () => {
    given = { garbageCollection: { schedule: "0 3 * * *" } };
    await pass(180);
    await pushGarbage();
    clock.set("2029-01-01T12:00:00Z");
    await pass(1);
    expect(service.status.last).toMatchObject({
      startTime: "2029-01-01T12:01:00.000Z",
      removed: { blob: 0 },
    });
    await pass(24 * 60);
    expect(service.status.last).toMatchObject({
      startTime: "2029-01-02T03:00:00.000Z",
      removed: { blob: 0 },
    });
    await pass(16 * 60);
    expect(service.status.last).toMatchObject({
      startTime: "2029-01-03T03:00:00.000Z",
      removed: { blob: 1 },
    });
  });

  test("T58 begins again when the clock was wrong and is right now", async () => {
    given = { garbageCollection: { schedule: "0 3 * * *" } };
    await content.collector.records.keep(Date.parse("2029-01-01T00:00:00Z"), JSON.stringify({}));
    await pass(1);
    expect(service.status.last).toMatchObject({ state: "Succeeded" });
  });

  test("T62 tells what it cannot look at, until it can", async () => {
    const target = content.open(repository("team/a"));
    const manifest = image(config, []);
    await target.push(config.descriptor, streamOf(config));
    await target.push(manifest.descriptor, streamOf(manifest));
    await target.push(layer.descriptor, streamOf(layer));
    const { database } = content.scrubbed;
    const spoil = (bytes: Uint8Array): Promise<number> =>
      database.change(() => database.statements.run("UPDATE manifest_contents SET bytes = ?", bytes));
    await spoil(Buffer.from("{"));
    given = { garbageCollection: { schedule: "* * * * *", graceSeconds: 60 } };
    await pass(2);
    expect(told.at(-1)).toContain(
      `Garbage cannot be collected in team/a: manifest ${manifest.descriptor.digest}`,
    );
    await expect(metrics.metrics()).resolves.toContain("connected_registry_gc_faults 1");
    await spoil(manifest.bytes);
    await pass(1);
    expect(told.at(-1)).toBeUndefined();
    expect(service.status.last).toMatchObject({ state: "Succeeded", removed: { link: 1 } });
  });

  test("writes down pulls every minute, and at the end", async () => {
    const target = content.open(repository("team/a"));
    const manifest = image(config, []);
    await target.push(config.descriptor, streamOf(config));
    await target.push(manifest.descriptor, streamOf(manifest));
    const pulledAt = (): unknown =>
      content.scrubbed.database.statements.row("SELECT pulled_at FROM manifests")?.pulled_at;
    target.pulled(manifest.descriptor.digest);
    expect(pulledAt()).toBeNull();
    await pass(1);
    expect(pulledAt()).toBe(Date.parse("2026-01-01T00:00:00Z"));
    await pass(90);
    target.pulled(manifest.descriptor.digest);
    await end();
    expect(pulledAt()).toBe(Date.parse("2026-01-01T01:31:00Z"));
    start();
  });
});
