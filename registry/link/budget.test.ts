import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, seconds } from "../../common/clock.ts";
import { parseSettings, type RegistrySettings } from "../../common/contract/config.ts";
import type { LinkStatus } from "../../common/contract/status.ts";
import { createMetrics } from "../../common/metrics.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LinkBudget } from "./budget.ts";
import { createLinkMetrics } from "./metrics.ts";
import { LinkQuotaError } from "./quota-error.ts";
import { LinkUsage } from "./usage.ts";

function settings(limits: object, timeZone = "UTC"): RegistrySettings {
  return parseSettings({ version: 1, name: "edge", sync: { repositories: [], timeZone, limits } });
}

const quota = { quota: { bytes: 1000, period: "Day" } };

describe("LinkBudget", () => {
  let folder: string;
  let clock: ManualClock;
  let shown: LinkStatus[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "budget-"));
    clock = new ManualClock("2026-11-21T20:00:00Z");
    shown = [];
  });

  afterEach(() => rm(folder, { recursive: true }));

  const file = (): string => join(folder, "usage.json");

  async function open(of: RegistrySettings): Promise<LinkBudget> {
    const usage = await LinkUsage.restore(file(), silentLog);
    const show = (status: LinkStatus): void => {
      shown.push(status);
    };
    return new LinkBudget({ usage, counted: () => undefined, show, clock }, of);
  }

  test("without limits nobody waits, and what moves is counted all the same", async () => {
    const budget = await open(settings({}));
    await budget.passed({ received: 5_000_000, sent: 5 }, "bulk");
    await budget.passed({ received: 300, sent: 200 }, "small");
    budget.assertOpen();
    expect(budget.status).toEqual({
      ...{ usedToday: 5_000_505, usedThisMonth: 5_000_505 },
      questionsToday: 500,
    });
  });

  test("a quota that is used up closes the link until the next period, of its own zone", async () => {
    const budget = await open(settings(quota, "Europe/Paris"));
    budget.passedUnasked({ received: 600, sent: 399 });
    budget.assertOpen();
    expect(budget.status.quota?.left).toBe(1);
    budget.passedUnasked({ received: 1, sent: 0 });
    expect(() => {
      budget.assertOpen();
    }).toThrow(LinkQuotaError);
    expect(budget.closedUntil?.toISO()).toBe("2026-11-21T23:00:00.000Z");
    expect(budget.status).toMatchObject({
      usedToday: 1000,
      quota: { period: "Day", bytes: 1000, left: 0, resetTime: "2026-11-21T23:00:00.000Z" },
    });
    await clock.advance(seconds(3 * 3600));
    expect(budget.closedUntil).toBeUndefined();
    expect(budget.status).toMatchObject({ usedToday: 0, usedThisMonth: 1000, quota: { left: 1000 } });
  });

  test("other limits count at once: a greater quota, one by the month, none", async () => {
    const budget = await open(settings(quota));
    budget.passedUnasked({ received: 1000, sent: 0 });
    budget.configure(settings({ quota: { bytes: 1001, period: "Day" } }));
    expect(budget.closedUntil).toBeUndefined();
    budget.configure(settings({ quota: { bytes: 1000, period: "Month" } }));
    expect(budget.closedUntil?.toISO()).toBe("2026-12-01T00:00:00.000Z");
    budget.configure(settings({}));
    expect(budget.closedUntil).toBeUndefined();
  });

  test("the rate follows the time of day, and what waits follows it", async () => {
    const windows = [{ from: "20:00", to: "21:00", bytesPerSecond: 16_384 }];
    const budget = await open(settings({ bytesPerSecond: 10_000_000, windows }));
    expect(budget.status.bytesPerSecond).toBe(16_384);
    let paid = false;
    // Sixty-one minutes at the rate of the window.
    const paying = budget.passed({ received: 16_384 * 61 * 60, sent: 0 }, "bulk").then(() => {
      paid = true;
    });
    await clock.advance(seconds(3590));
    expect(paid).toBe(false);
    await clock.advance(seconds(13));
    expect(paid).toBe(true);
    await paying;
    expect(budget.status.bytesPerSecond).toBe(10_000_000);
  }, 30_000);

  describe("while it runs", () => {
    let stop: AbortController;
    let budget: LinkBudget;
    let running: Promise<void>;

    beforeEach(async () => {
      stop = new AbortController();
      budget = await open(settings(quota));
      running = budget.run(stop.signal);
    });

    afterEach(async () => {
      stop.abort(new Error("the program stops"));
      await running;
    });

    const written = (): Promise<string> => readFile(file(), "utf8").catch(() => "");

    test("it writes what is worth a write after seconds, the rest after a minute, and all at the end", async () => {
      budget.passedUnasked({ received: 10, sent: 0 });
      await clock.advance(seconds(50));
      expect(await written()).toBe("");
      await clock.advance(seconds(10));
      await eventually(() => clock.sleeping > 0);
      expect(await written()).toContain('"bytes":10,');
      budget.passedUnasked({ received: 2_000_000, sent: 0 });
      await clock.advance(seconds(5));
      await eventually(() => clock.sleeping > 0);
      expect(await written()).toContain('"bytes":2000010,');
      budget.passedUnasked({ received: 1, sent: 0 });
      stop.abort(new Error("the program stops"));
      await running;
      expect((await open(settings(quota))).status.usedToday).toBe(2_000_011);
    });

    test("it shows what changes, once", async () => {
      shown.splice(0);
      await clock.advance(seconds(60));
      expect(shown).toEqual([]);
      budget.passedUnasked({ received: 10, sent: 0 });
      await clock.advance(milliseconds(5000));
      expect(shown).toMatchObject([{ usedToday: 10, quota: { left: 990 } }]);
    });
  });

  test("metrics tell what moved, what may move, and what is left", async () => {
    const registry = createMetrics();
    const usage = await LinkUsage.restore(file(), silentLog);
    const budget: LinkBudget = new LinkBudget(
      { usage, counted: createLinkMetrics(registry, () => budget.status), show: () => undefined, clock },
      settings({}),
    );
    const value = async (name: string): Promise<string> => {
      const text = await registry.getSingleMetricAsString(`connected_registry_parent_link_${name}`);
      return text.replace(/^#.*\n/gm, "").replaceAll(/connected_registry_parent_link_/g, "");
    };
    expect(await value("limit_bytes_per_second")).toBe("limit_bytes_per_second +Inf");
    expect(await value("quota_left_bytes")).toBe("quota_left_bytes +Inf");
    budget.configure(settings({ bytesPerSecond: 20_000, ...quota }));
    budget.passedUnasked({ received: 300, sent: 20 });
    expect(await value("limit_bytes_per_second")).toBe("limit_bytes_per_second 20000");
    expect(await value("quota_left_bytes")).toBe("quota_left_bytes 680");
    expect(await value("bytes_total")).toBe(
      'bytes_total{direction="received"} 300\nbytes_total{direction="sent"} 20',
    );
  });
});
