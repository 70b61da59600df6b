import type { DateTime, Duration } from "luxon";
import { exponential } from "../../common/backoff.ts";
import { blackoutAt } from "../../common/blackouts.ts";
import { seconds } from "../../common/clock.ts";
import type { RegistrySettings, SyncSettings } from "../../common/contract/config.ts";
import { catalogDetail, connectionDetail } from "../../common/contract/status.ts";
import { Agenda } from "./schedule/agenda.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import { longer, longestSleep, shorter } from "./schedule/durations.ts";
import { parentFault } from "./faults.ts";
import type { Asked, History } from "./telling/history.ts";
import { Link } from "./link.ts";
import type { PresentParent } from "./parent.ts";
import { PollPace } from "./schedule/poll-pace.ts";
import { Postponed } from "./schedule/postponed.ts";
import type { Recovery } from "./recovery.ts";
import { SupersededError } from "./round.ts";
import { SyncRuns, type RunParts } from "./sync-runs.ts";
import { Wakeable } from "./wakeable.ts";
import { parseSchedule, type SyncSchedule } from "./schedule/window.ts";

export interface SessionParts extends RunParts {
  /** Until when the link's quota is used up; `undefined` while it is not. */
  readonly linkClosedUntil: () => DateTime<true> | undefined;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

/** However seldom the rules ask for a poll, whether the parent is there is known this well. */
const heartbeat = seconds(60);
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
  private readonly runs: SyncRuns;
  private settings: RegistrySettings;
  private link: Link | undefined;
  /** Whether nothing is due, rather than a sync having just ended. */
  private waiting = false;
  /** Whether it rests between two polls, and somebody has begun to miss content. */
  private rest: { hurried: boolean } | undefined;

  constructor(parts: SessionParts, history: History, recovery: Recovery, settings: RegistrySettings) {
    this.parts = parts;
    this.history = history;
    this.settings = settings;
    this.sleeper = new Wakeable(parts.clock);
    history.asked(settings.sync?.resyncRequest);
    const { pollIntervalSeconds = 60, maxPollIntervalSeconds = 60 } = settings.sync ?? {};
    this.interval = seconds(pollIntervalSeconds);
    this.pace = new PollPace(parts.clock, this.interval, seconds(maxPollIntervalSeconds));
    this.postponed = new Postponed(parts.board, parts.log);
    const rest = exponential(this.interval, longer(this.interval, longestRest), parts.random);
    this.agenda = new Agenda(parts.clock, history, recovery, this.pace, rest);
    this.runs = new SyncRuns(parts, history, recovery, this.agenda, rest, this.asked);
  }

  private readonly asked = (): Asked => {
    const { parent, sync } = this.settings;
    return { resyncRequest: sync?.resyncRequest, scope: parent?.scope };
  };

  /** Takes on settings between which a sync may go on: credentials, authorities, a person's request to sync now. */
  configure(settings: RegistrySettings): void {
    const request = settings.sync?.resyncRequest;
    const asked = request !== undefined && request !== this.settings.sync?.resyncRequest;
    this.settings = settings;
    this.history.asked(request);
    if (settings.parent !== undefined) this.link?.parent.configure(settings.parent);
    this.agenda.forgive();
    this.pace.changed();
    this.parts.up?.reconsider();
    // Whoever makes way goes on with what is asked for by itself.
    if (!asked || !this.runs.makeWay()) this.sleeper.wake();
  }

  /** Content was found to be missing: a sync is due as soon as the last one is an interval ago. */
  recover(): void {
    this.pace.changed();
    if (this.rest !== undefined) this.rest.hurried = true;
    if (this.waiting || this.rest !== undefined) this.sleeper.wake();
  }

  /** The parent, for those who need something of it beside the syncs; `undefined` while nobody may ask it. */
  get present(): PresentParent | undefined {
    return this.settings.suspend ? undefined : this.visible;
  }

  /** The parent, also while nothing may be taken from it: for those who only look. */
  get visible(): PresentParent | undefined {
    return this.link?.present;
  }

  /** @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { board } = this.parts;
    const { parent, sync, suspend } = this.settings;
    for (const type of ["Sync", "Parent", connectionDetail, catalogDetail, "Schedule", "Storage", "Prune"])
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
      this.history.interrupted();
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
      const due = this.agenda.due(schedule, begun, this.asked());
      this.postponed.byBlackout(due.slot.start > begun ? blackoutAt(schedule.blackouts, begun) : undefined);
      if (due.slot.start > begun) {
        this.waiting = true;
        await this.sleeper.sleep(shorter(due.slot.start.diff(begun), longestSleep), signal);
        this.waiting = false;
      } else if (await link.contact.check()) {
        const result = await this.runs.run(due, schedule, sync, link, signal);
        if (result.tags.copied > 0 || (result.pruned ?? 0) > 0) this.pace.changed();
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
