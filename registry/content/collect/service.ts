import type { Clock } from "../../../common/clock.ts";
import { seconds } from "../../../common/clock.ts";
import type { GarbageCollectionSettings, RetentionRule } from "../../../common/contract/content-settings.ts";
import { parseCron } from "../../../common/cron.ts";
import { messageOf } from "../../../common/errors.ts";
import { every } from "../../../common/every.ts";
import type { Logger } from "../../../common/log.ts";
import type { Service } from "../../../common/service.ts";
import { Ages } from "./ages.ts";
import type { CollectionOptions } from "./collection.ts";
import type { Collector } from "./collector.ts";
import type { CollectionReport, Removal, RemovalKind } from "./report.ts";

export interface GarbageCollectionParts {
  readonly collector: Pick<Collector, "collect" | "records" | "pulls">;
  readonly settings: () => {
    readonly garbageCollection: GarbageCollectionSettings;
    readonly retention: readonly RetentionRule[];
  };
  readonly mayExpire: CollectionOptions["mayExpire"];
  readonly wanted: CollectionOptions["wanted"];
  readonly metrics: CollectionMetrics;
  /** Told whether the last collection could look at everything. */
  readonly tell: (fault: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What collections count. */
export interface CollectionMetrics {
  readonly removed: (kind: RemovalKind, bytes: number) => void;
  readonly running: (running: boolean) => void;
  readonly ended: (report: CollectionReport) => void;
}

/** What `/status` says of collecting. */
export interface CollectionStatus {
  readonly running: boolean;
  /** When the schedule asks for the next; absent where nothing is collected. */
  readonly nextTime?: string;
  readonly last?: CollectionReport;
}

const interval = seconds(60);
/** After so long without a collection the clock may have been set, or nobody may have pulled because we were not there. */
const longestGapMs = 30 * 86_400_000;
/** How many removals of a dry run are written into the log. */
const maxListed = 1_000;

/** Collects garbage when it is time to; a time that was missed is made up for. Writes down pulls meanwhile. */
export class GarbageCollection implements Service {
  readonly name = "garbage collection";
  private readonly parts: GarbageCollectionParts;
  private readonly ages: Ages;
  private running = false;
  /** When a collection began last, in milliseconds since 1970, also one that could not be. */
  private tried = 0;
  private report: CollectionReport | undefined;

  constructor(parts: GarbageCollectionParts) {
    this.parts = parts;
    this.ages = new Ages(parts.clock);
    const last = parts.collector.records.last();
    this.report = last === undefined ? undefined : parseReport(last.report);
  }

  get status(): CollectionStatus {
    const { enabled, schedule } = this.parts.settings().garbageCollection;
    const next = enabled ? parseCron(schedule).nextRun(this.parts.clock.now().toJSDate()) : null;
    return {
      running: this.running,
      ...(next === null ? {} : { nextTime: next.toISOString() }),
      ...(this.report === undefined ? {} : { last: this.report }),
    };
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const both = [
      every(interval, () => this.flush(), clock, signal),
      every(interval, () => this.collectIfDue(signal), clock, signal),
    ];
    await Promise.all(both);
    await this.flush();
  }

  private async flush(): Promise<void> {
    try {
      await this.parts.collector.pulls.flush();
    } catch (error) {
      this.parts.log.warn("when images were pulled could not be written", { error: messageOf(error) });
    }
  }

  private async collectIfDue(signal: AbortSignal): Promise<void> {
    const { garbageCollection: settings } = this.parts.settings();
    const now = this.parts.clock.now();
    const judgedBy = this.ages.now(settings.graceSeconds * 1000);
    const begun = Math.max(this.lastBegun(), Math.min(this.tried, now.toMillis()));
    // Later than now: the clock was wrong then. Whatever it was, it is long ago.
    const gap = begun > now.toMillis() ? Infinity : now.toMillis() - begun;
    const planned = parseCron(settings.schedule).previousRuns(1, now.plus({ milliseconds: 1 }).toJSDate())[0];
    if (!settings.enabled || planned === undefined) return;
    if (planned.getTime() <= begun && gap !== Infinity) return;
    try {
      await this.collect(settings, judgedBy, gap > longestGapMs, signal);
    } catch (error) {
      this.parts.log.error("garbage could not be collected", { error: messageOf(error) });
      this.parts.tell(`Garbage could not be collected: ${messageOf(error)}`);
    }
  }

  /** The first collection of a registry waits for its schedule. */
  private lastBegun(): number {
    const { records } = this.parts.collector;
    return records.last()?.begunAt ?? records.pullsSince();
  }

  private async collect(
    { graceSeconds, dryRun }: GarbageCollectionSettings,
    now: number,
    wasAway: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { collector, settings, mayExpire, wanted, metrics, clock } = this.parts;
    const begunAt = clock.now().toMillis();
    this.tried = begunAt;
    this.running = true;
    metrics.running(true);
    try {
      const report = await collector.collect(
        {
          ...{ graceSeconds, dryRun, now },
          retention: settings().retention,
          mayExpire: () => !wasAway && mayExpire(),
          wanted,
          observe: this.observer(dryRun),
        },
        signal,
      );
      this.report = report;
      metrics.ended(report);
      this.announce(report);
      // One that was stopped begins again at the next start.
      if (report.state !== "Stopped") await collector.records.keep(begunAt, JSON.stringify(report));
    } finally {
      this.running = false;
      metrics.running(false);
    }
  }

  private observer(dryRun: boolean): (removal: Removal) => void {
    const { log, metrics } = this.parts;
    let listed = 0;
    return (removal) => {
      if (!dryRun) {
        metrics.removed(removal.kind, removal.bytes);
        log.debug("removed", { ...removal });
        return;
      }
      listed++;
      if (listed <= maxListed) log.info("would be removed", { ...removal });
      if (listed === maxListed) log.info("more would be removed than is listed here");
    };
  }

  private announce(report: CollectionReport): void {
    const { log, tell } = this.parts;
    const { state, removed, bytes, dryRun, expiryPostponed, faults, faultCount } = report;
    const facts = { state, ...removed, bytes, dryRun };
    const postponed = expiryPostponed > 0 ? { repositoriesNotExpired: expiryPostponed } : {};
    if (faultCount > 0)
      log.warn("garbage was collected in part", { ...facts, ...postponed, faultCount, faults });
    else log.info("garbage was collected", { ...facts, ...postponed });
    const [first] = faults;
    const where = first?.repository === undefined ? "" : ` in ${first.repository}`;
    const more = faultCount > 1 ? ` (and ${faultCount - 1} more)` : "";
    tell(first === undefined ? undefined : `Garbage cannot be collected${where}: ${first.message}${more}`);
  }
}

/** `undefined` if a disk has spoilt it: that must not keep a registry from its start. */
function parseReport(text: string): CollectionReport | undefined {
  try {
    return JSON.parse(text) as CollectionReport;
  } catch {
    return undefined;
  }
}
