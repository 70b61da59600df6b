import type { DateTime, Duration } from "luxon";
import { exponential } from "../../common/backoff.ts";
import { blackoutAt } from "../../common/blackouts.ts";
import { seconds } from "../../common/clock.ts";
import type { RegistrySettings, SyncSettings } from "../../common/contract/config.ts";
import { catalogDetail } from "../../common/contract/status.ts";
import type { Repositories, SyncTarget } from "../content/store.ts";
import { Agenda, type DueSync } from "./agenda.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import { longer, longestSleep, shorter } from "./durations.ts";
import type { SyncDetails } from "./details.ts";
import { failuresOf } from "./failures.ts";
import { catalogFault, deniedFault, parentFault, sentenceOf, storageFault } from "./faults.ts";
import type { History } from "./history.ts";
import { Link, type LinkParts } from "./link.ts";
import { LiveRun } from "./live-run.ts";
import type { PresentParent } from "./parent.ts";
import type { PassResult } from "./pass.ts";
import { PollPace } from "./poll-pace.ts";
import { Postponed } from "./postponed.ts";
import { prunedPass, type AfterPass } from "./prune/pruned-pass.ts";
import type { Recovery } from "./recovery.ts";
import { ReferrerChecks } from "./referrer-checks.ts";
import { Retries } from "./retries.ts";
import { reportOf, SupersededError, within } from "./round.ts";
import { allAfresh, type TagConfirmations } from "./tag-confirmations.ts";
import type { Upward } from "./upward.ts";
import { Wakeable } from "./wakeable.ts";
import { Weights } from "./weights.ts";
import { parseSchedule, type SyncSchedule } from "./window.ts";

export interface SessionParts extends LinkParts {
  readonly content: Repositories<SyncTarget>;
  readonly confirmations: TagConfirmations;
  readonly details: SyncDetails;
  /** Until when the link's quota is used up; `undefined` while it is not. */
  readonly linkClosedUntil: () => DateTime<true> | undefined;
  readonly pruner: AfterPass;
  /** Brings what clients change here to the parent. Absent: nothing does. */
  readonly up?: Upward;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

/** However seldom the rules ask for a poll, whether the parent is there is known this well. */
const heartbeat = seconds(60);
/** How often at most, and at least, one image is asked for what refers to it. */
const referrersInterval = { least: seconds(60), most: seconds(3600) };
const longestRest = seconds(300);

/** The sync with one parent by one version of the rules. */
export class SyncSession {
  private readonly parts: SessionParts;
  private readonly history: History;
  private readonly sleeper: Wakeable;
  private readonly interval: Duration;
  private readonly pace: PollPace;
  private readonly postponed: Postponed;
  private readonly agenda: Agenda;
  private readonly recovery: Recovery;
  private readonly retries: Retries;
  private readonly referrerChecks: ReferrerChecks;
  private readonly weights = new Weights();
  private settings: RegistrySettings;
  private link: Link | undefined;
  /** What the last sync had to tell: said once. */
  private told: string | undefined;
  /** Whether nothing is due, rather than a sync having just ended. */
  private waiting = false;
  /** Ends the sync that runs, if nobody has asked for it. */
  private routine: AbortController | undefined;
  /** Whether it rests between two polls, and somebody has begun to miss content. */
  private rest: { hurried: boolean } | undefined;

  constructor(parts: SessionParts, history: History, recovery: Recovery, settings: RegistrySettings) {
    this.parts = parts;
    this.history = history;
    this.recovery = recovery;
    this.settings = settings;
    this.sleeper = new Wakeable(parts.clock);
    const { pollIntervalSeconds = 60, maxPollIntervalSeconds = 60 } = settings.sync ?? {};
    this.interval = seconds(pollIntervalSeconds);
    this.pace = new PollPace(parts.clock, this.interval, seconds(maxPollIntervalSeconds));
    this.postponed = new Postponed(parts.board, parts.log);
    const rest = exponential(this.interval, longer(this.interval, longestRest), parts.random);
    this.agenda = new Agenda(parts.clock, history, recovery, this.pace, rest);
    this.retries = new Retries(parts.clock, rest);
    this.referrerChecks = new ReferrerChecks(parts.clock, referrersInterval.least, referrersInterval.most);
  }

  /** Takes on settings between which a sync may go on: credentials, authorities, a person's request to sync now. */
  configure(settings: RegistrySettings): void {
    const request = settings.sync?.resyncRequest;
    const asked = request !== undefined && request !== this.settings.sync?.resyncRequest;
    this.settings = settings;
    if (settings.parent !== undefined) this.link?.parent.configure(settings.parent);
    this.agenda.forgive();
    this.pace.changed();
    this.parts.up?.reconsider();
    if (asked && this.routine !== undefined)
      this.routine.abort(new SupersededError("a person wants a sync now"));
    else this.sleeper.wake();
  }

  /** Content was found to be missing: a sync is due as soon as the last one is an interval ago. */
  recover(): void {
    this.pace.changed();
    if (this.rest !== undefined) this.rest.hurried = true;
    if (this.waiting || this.rest !== undefined) this.sleeper.wake();
  }

  /** The parent, for those who need something of it beside the syncs; `undefined` while nobody may ask it. */
  get present(): PresentParent | undefined {
    return this.settings.suspend ? undefined : this.link?.present;
  }

  /** @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { board } = this.parts;
    const { parent, sync, suspend } = this.settings;
    for (const type of ["Sync", "Parent", catalogDetail, "Schedule", "Storage", "Prune"])
      board.setFault(type, undefined);
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
    const watching = link.contact.watch(() => shorter(this.pace.interval, heartbeat));
    const syncing = suspend || sync === undefined ? this.idle(both) : this.follow(sync, link, both);
    const rising = this.rise(link, both);
    try {
      await Promise.race([watching, syncing, rising]);
    } finally {
      // Whichever failed, none runs on.
      stop.abort(new Error("another part of the sync has failed"));
      await Promise.allSettled([watching, syncing, rising]);
      link.parent.close();
      board.update({ copying: false, postponed: undefined });
    }
  }

  /** What clients change here goes up, beside the syncs. @throws the signal's reason */
  private rise({ parent, contact }: Link, signal: AbortSignal): Promise<void> {
    const work = { parent, settings: () => this.settings, online: () => contact.check() };
    return this.parts.up?.run(work, signal) ?? this.idle(signal);
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
      this.postponed.byBlackout(due.slot.start > begun ? blackoutAt(schedule.blackouts, begun) : undefined);
      if (due.slot.start > begun) {
        this.waiting = true;
        await this.sleeper.sleep(shorter(due.slot.start.diff(begun), longestSleep), signal);
        this.waiting = false;
      } else if (await link.contact.check()) {
        const result = await this.sync(due, schedule, sync, link, signal);
        if (result.ending instanceof LinkQuotaError || result.ending instanceof SupersededError) continue;
        await this.restSince(begun, this.agenda.pauseAfter(result, begun, schedule), signal);
      } else {
        await this.sleeper.sleep(this.agenda.untilNextPoll(begun, this.interval), signal);
      }
    }
  }

  /** Rests after a sync; no longer than the shortest interval if content is missed meanwhile. */
  private async restSince(begun: DateTime, pause: Duration, signal: AbortSignal): Promise<void> {
    const rest = { hurried: false };
    if (!this.agenda.setBack) this.rest = rest;
    await this.sleeper.sleep(pause, signal);
    this.rest = undefined;
    if (rest.hurried) await this.sleeper.sleep(this.agenda.untilNextPoll(begun), signal);
  }

  /** Waits for the next period if the quota of this one is used up, or for a greater one. */
  private async whileLinkClosed(signal: AbortSignal): Promise<void> {
    const { clock, linkClosedUntil } = this.parts;
    for (let end = linkClosedUntil(); end !== undefined; end = linkClosedUntil()) {
      this.postponed.byQuota(end);
      await this.sleeper.sleep(shorter(end.diff(clock.now()), longestSleep), signal);
    }
  }

  private async sync(
    { trigger, slot }: DueSync,
    schedule: SyncSchedule,
    sync: SyncSettings,
    link: Link,
    signal: AbortSignal,
  ): Promise<PassResult> {
    const { board, clock, confirmations, content, details, log, metrics } = this.parts;
    const run = new LiveRun(trigger, board, clock, () => link.received);
    const recovered = this.recovery.begin();
    const request = this.settings.sync?.resyncRequest;
    if (trigger === "ManualResync" || trigger === "RecoveryService") {
      this.retries.clear();
      this.referrerChecks.clear();
    }
    if (trigger === "ManualResync") this.parts.up?.hurry();
    if (trigger !== "Schedule") {
      log.info("a sync begins", { trigger });
      run.show();
    }
    const routine = new AbortController();
    if (trigger === "Schedule" || trigger === "RecoveryService") this.routine = routine;
    const result = await run.during(() =>
      within(slot.end, clock, AbortSignal.any([signal, routine.signal]), (until) =>
        prunedPass(this.parts.pruner, sync.prune, {
          sync,
          source: link.parent,
          target: content,
          retries: this.retries,
          referrerChecks: this.referrerChecks,
          weights: this.weights,
          confirmations: trigger === "RecoveryService" ? allAfresh(confirmations) : confirmations,
          up: this.parts.up,
          parentGone: async () => !(await link.contact.check()),
          progress: run.show,
          watch: run.progress,
          log,
          signal: until,
        }),
      ),
    );
    this.routine = undefined;
    signal.throwIfAborted();
    const end = clock.now();
    const failures = failuresOf(result.failures);
    details.failures = failures;
    const report = reportOf(run.begun, result, failures, end, run.progress.at(result.tags, end));
    const complete = result.ending === undefined;
    if (complete) recovered();
    if (result.tags.copied > 0 || (result.pruned ?? 0) > 0) this.pace.changed();
    this.agenda.ended(result, slot, schedule);
    board.update({ copying: false });
    board.setFault("Parent", parentFault(result.ending) ?? deniedFault(result.failures));
    board.setFault(catalogDetail, catalogFault(result.failures));
    board.setFault("Storage", storageFault(result.ending));
    metrics.ended(report, end.toSeconds());
    const next =
      result.ending instanceof LinkQuotaError
        ? this.agenda.due(schedule, result.ending.until, request).slot.start
        : this.agenda.expected(schedule, end);
    if (report.message !== undefined && report.message !== this.told) {
      log.warn("rules of the policy leave out what may be wanted", { message: report.message });
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
        bytesSaved: report.bytesSaved,
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
