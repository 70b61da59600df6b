import type { DateTime, Duration } from "luxon";
import { exponential } from "../../common/backoff.ts";
import { seconds } from "../../common/clock.ts";
import type { RegistrySettings, SyncSettings } from "../../common/contract/config.ts";
import type { Repositories, SyncTarget } from "../content/store.ts";
import { Agenda, longestSleep, type DueSync } from "./agenda.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import { longer, shorter } from "./durations.ts";
import { deniedFault, parentFault, sentenceOf, storageFault } from "./faults.ts";
import type { History } from "./history.ts";
import { Link, type LinkParts } from "./link.ts";
import { runPass, type PassResult } from "./pass.ts";
import type { Recovery } from "./recovery.ts";
import { ReferrerChecks } from "./referrer-checks.ts";
import { Retries } from "./retries.ts";
import { noTags, reportOf, within } from "./round.ts";
import { Wakeable } from "./wakeable.ts";
import { parseSchedule, type SyncSchedule } from "./window.ts";

export interface SessionParts extends LinkParts {
  readonly content: Repositories<SyncTarget>;
  /** Until when the link's quota is used up; `undefined` while it is not. */
  readonly linkClosedUntil: () => DateTime<true> | undefined;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

/** However seldom the rules ask for a poll, whether the parent is there is known this well. */
const heartbeat = seconds(60);
const referrersInterval = seconds(60);
const longestRest = seconds(300);

/** The sync with one parent by one version of the rules. */
export class SyncSession {
  private readonly parts: SessionParts;
  private readonly history: History;
  private readonly sleeper: Wakeable;
  private readonly interval: Duration;
  private readonly agenda: Agenda;
  private readonly recovery: Recovery;
  private readonly retries: Retries;
  private readonly referrerChecks: ReferrerChecks;
  private settings: RegistrySettings;
  private link: Link | undefined;
  /** What the last sync had to tell: said once. */
  private told: string | undefined;
  /** Whether nothing is due, rather than a sync having just ended. */
  private waiting = false;

  constructor(parts: SessionParts, history: History, recovery: Recovery, settings: RegistrySettings) {
    this.parts = parts;
    this.history = history;
    this.recovery = recovery;
    this.settings = settings;
    this.sleeper = new Wakeable(parts.clock);
    this.interval = seconds(settings.sync?.pollIntervalSeconds ?? 60);
    const rest = exponential(this.interval, longer(this.interval, longestRest), parts.random);
    this.agenda = new Agenda(parts.clock, history, recovery, this.interval, rest);
    this.retries = new Retries(parts.clock, rest);
    this.referrerChecks = new ReferrerChecks(parts.clock, referrersInterval);
  }

  /** Takes on settings between which a sync may go on: credentials, authorities, a person's request to sync now. */
  configure(settings: RegistrySettings): void {
    this.settings = settings;
    if (settings.parent !== undefined) this.link?.parent.configure(settings.parent);
    this.agenda.forgive();
    this.sleeper.wake();
  }

  /** Content was found to be missing: a sync is due as soon as the last one is an interval ago. */
  recover(): void {
    if (this.waiting) this.sleeper.wake();
  }

  /** @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { board } = this.parts;
    const { parent, sync, suspend } = this.settings;
    for (const type of ["Sync", "Parent", "Schedule", "Storage"]) board.setFault(type, undefined);
    if (parent === undefined) {
      board.update({ contact: "none" });
      await this.idle(signal);
      return;
    }
    if (board.contact === "none") board.update({ contact: "unknown" });
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const link = new Link(parent, this.parts, both);
    this.link = link;
    const watching = link.contact.watch(shorter(this.interval, heartbeat));
    const syncing = suspend || sync === undefined ? this.idle(both) : this.follow(sync, link, both);
    try {
      await Promise.race([watching, syncing]);
    } finally {
      // Whichever failed, neither runs on.
      stop.abort(new Error("the other half of the sync has failed"));
      await Promise.allSettled([watching, syncing]);
      link.parent.close();
      board.update({ copying: false, postponed: undefined });
    }
  }

  /** One sync after the other, each when it is due. @throws the signal's reason */
  private async follow(sync: SyncSettings, link: Link, signal: AbortSignal): Promise<void> {
    const schedule = this.schedule(sync);
    if (schedule === undefined) {
      await this.idle(signal);
      return;
    }
    const { clock } = this.parts;
    for (;;) {
      await this.whileLinkClosed(signal);
      const begun = clock.now();
      const due = this.agenda.due(schedule, begun, this.settings.sync?.resyncRequest);
      if (due.slot.start > begun) {
        this.waiting = true;
        await this.sleeper.sleep(shorter(due.slot.start.diff(begun), longestSleep), signal);
        this.waiting = false;
      } else if (await link.contact.check()) {
        const result = await this.sync(due, schedule, sync, link, signal);
        if (result.ending instanceof LinkQuotaError) continue;
        await this.sleeper.sleep(this.agenda.pauseAfter(result, begun, schedule), signal);
      } else {
        await this.sleeper.sleep(this.agenda.untilNextPoll(begun), signal);
      }
    }
  }

  /** Waits for the next period if the quota of this one is used up, or for a greater one. */
  private async whileLinkClosed(signal: AbortSignal): Promise<void> {
    const { board, clock, linkClosedUntil, log } = this.parts;
    for (let end = linkClosedUntil(); end !== undefined; end = linkClosedUntil()) {
      const until = end.toISO();
      if (board.current.postponed?.until !== until) {
        log.info("the link's quota is used up: syncs wait, what is here is served", { until });
        const message = "The link's quota is used up. Raise limits.quota to sync before the next period.";
        board.update({ postponed: { reason: "LinkQuota", message, until } });
      }
      await this.sleeper.sleep(shorter(end.diff(clock.now()), longestSleep), signal);
    }
    if (board.current.postponed !== undefined) board.update({ postponed: undefined });
  }

  private async sync(
    { trigger, slot }: DueSync,
    schedule: SyncSchedule,
    sync: SyncSettings,
    link: Link,
    signal: AbortSignal,
  ): Promise<PassResult> {
    const { board, clock, content, log, metrics } = this.parts;
    const begun = { trigger, startTime: clock.now().toISO() };
    const recovered = this.recovery.begin();
    const request = this.settings.sync?.resyncRequest;
    const bytesBefore = link.received;
    const show = (tags = noTags): void => {
      const bytes = link.received - bytesBefore;
      board.update({ copying: true, sync: { ...begun, state: "Syncing", tags, bytes, failures: [] } });
    };
    if (trigger === "ManualResync") this.retries.clear();
    // A routine look at the parent is no news until it finds something.
    if (trigger !== "Schedule") show();
    const result = await within(slot.end, clock, signal, (until) =>
      runPass({
        sync,
        source: link.parent,
        target: content,
        retries: this.retries,
        referrerChecks: this.referrerChecks,
        parentGone: async () => !(await link.contact.check()),
        progress: show,
        log,
        signal: until,
      }),
    );
    signal.throwIfAborted();
    const end = clock.now();
    const report = reportOf(begun, result, end, link.received - bytesBefore);
    const complete = result.ending === undefined;
    if (complete) recovered();
    this.agenda.ended(result, slot, schedule);
    board.update({ copying: false });
    board.setFault("Parent", parentFault(result.ending) ?? deniedFault(result.failures));
    board.setFault("Storage", storageFault(result.ending));
    metrics.ended(report, end.toSeconds());
    const next =
      result.ending instanceof LinkQuotaError
        ? this.agenda.due(schedule, result.ending.until, request).slot.start
        : this.agenda.expected(schedule, end);
    if (report.message !== undefined && report.message !== this.told) {
      log.warn("rules of the policy select nothing", { message: report.message });
    }
    this.told = report.message;
    const planned = next === undefined ? report : { ...report, nextTime: next.toISO() };
    await this.history.ended(planned, complete, request);
    if (report.state !== "Succeeded" || report.tags.copied > 0) {
      const reason = complete ? {} : { reason: sentenceOf(result.ending) };
      log.info("a sync has ended", {
        trigger,
        state: report.state,
        ...report.tags,
        bytes: report.bytes,
        ...reason,
      });
    }
    return result;
  }

  private schedule(sync: SyncSettings): SyncSchedule | undefined {
    try {
      return parseSchedule(sync);
    } catch (error) {
      this.parts.board.setFault("Schedule", parentFault(error));
      return undefined;
    }
  }

  private async idle(signal: AbortSignal): Promise<void> {
    for (;;) await this.sleeper.sleep(longestSleep, signal);
  }
}
