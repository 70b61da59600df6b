import type { DateTime, Duration } from "luxon";
import { exponential, type Backoff } from "../../common/backoff.ts";
import { milliseconds, seconds, type Clock } from "../../common/clock.ts";
import type { ParentSettings, RegistrySettings, SyncSettings } from "../../common/contract/config.ts";
import type { SyncStatus } from "../../common/contract/status.ts";
import type { Logger } from "../../common/log.ts";
import type { Repositories, SyncTarget } from "../content/store.ts";
import type { LinkObserver } from "../remote/client.ts";
import type { StatusBoard } from "./board.ts";
import { ParentContact } from "./contact.ts";
import { deniedFault, parentFault, sentenceOf } from "./faults.ts";
import type { History } from "./history.ts";
import type { SyncMetrics } from "./metrics.ts";
import type { Parent } from "./parent.ts";
import { runPass, type PassResult } from "./pass.ts";
import { ReferrerChecks } from "./referrer-checks.ts";
import { Retries } from "./retries.ts";
import { noTags, reportOf, within } from "./round.ts";
import { Wakeable } from "./wakeable.ts";
import { nextSlot, parseSchedule, type SyncSchedule, type SyncSlot } from "./window.ts";

export interface SessionParts {
  readonly content: Repositories<SyncTarget>;
  readonly connect: (parent: ParentSettings, observer: LinkObserver) => Parent;
  readonly board: StatusBoard;
  readonly metrics: SyncMetrics;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: Logger;
}

/** The parent, and whether it is there. */
interface Link {
  readonly parent: Parent;
  readonly contact: ParentContact;
}

interface DueSync {
  readonly trigger: SyncStatus["trigger"];
  readonly slot: SyncSlot;
}

/** However seldom the rules ask for a poll, whether the parent is there is known this well. */
const heartbeat = seconds(60);
const referrersInterval = seconds(60);
const longestRest = seconds(300);
const shortestPause = seconds(1);
/** A long sleep is cut here, to look at the clock again: it may have been set meanwhile (T58). */
const longestSleep = seconds(3600);

/** The sync with one parent by one version of the rules. */
export class SyncSession {
  private readonly parts: SessionParts;
  private readonly history: History;
  private readonly sleeper: Wakeable;
  private readonly interval: Duration;
  private readonly rest: Backoff;
  private readonly retries: Retries;
  private readonly referrerChecks: ReferrerChecks;
  private settings: RegistrySettings;
  private parent: Parent | undefined;
  private received = 0;
  /** Syncs in a row that did not do all they should. */
  private setbacks = 0;
  /** Open while something that failed is tried again. */
  private unfinished: SyncSlot | undefined;

  constructor(parts: SessionParts, history: History, settings: RegistrySettings) {
    this.parts = parts;
    this.history = history;
    this.settings = settings;
    this.sleeper = new Wakeable(parts.clock);
    this.interval = seconds(settings.sync?.pollIntervalSeconds ?? 60);
    this.rest = exponential(this.interval, longer(this.interval, longestRest), parts.random);
    this.retries = new Retries(parts.clock, this.rest);
    this.referrerChecks = new ReferrerChecks(parts.clock, referrersInterval);
  }

  /** Takes on settings between which a sync may go on: credentials, authorities, a person's request to sync now. */
  configure(settings: RegistrySettings): void {
    this.settings = settings;
    if (settings.parent !== undefined) this.parent?.configure(settings.parent);
    this.setbacks = 0;
    this.sleeper.wake();
  }

  /** @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { board, clock, log, metrics } = this.parts;
    const { parent, sync, suspend } = this.settings;
    for (const type of ["Sync", "Parent", "Schedule"]) board.setFault(type, undefined);
    if (parent === undefined) {
      board.update({ contact: "none" });
      await this.idle(signal);
      return;
    }
    if (board.contact === "none") board.update({ contact: "unknown" });
    const remote = this.parts.connect(parent, {
      requested: (status) => {
        metrics.requested(status);
        if (status !== "none" && status < 500) contact.answered();
      },
      received: (bytes) => {
        metrics.received(bytes);
        this.received += bytes;
        contact.answered();
      },
    });
    this.parent = remote;
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const contact: ParentContact = new ParentContact(remote, board, metrics, clock, log, both);
    const watching = contact.watch(shorter(this.interval, heartbeat));
    const link = { parent: remote, contact };
    const syncing = suspend || sync === undefined ? this.idle(both) : this.follow(sync, link, both);
    try {
      await Promise.race([watching, syncing]);
    } finally {
      // Whichever failed, neither runs on.
      stop.abort(new Error("the other half of the sync has failed"));
      await Promise.allSettled([watching, syncing]);
      remote.close();
      board.update({ copying: false });
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
      const begun = clock.now();
      const due = this.due(schedule, begun);
      if (due.slot.start > begun) {
        await this.sleeper.sleep(shorter(due.slot.start.diff(begun), longestSleep), signal);
      } else if (await link.contact.check()) {
        const result = await this.sync(due, schedule, sync, link, signal);
        await this.sleeper.sleep(this.pauseAfter(result, begun, schedule), signal);
      } else {
        await this.sleeper.sleep(this.untilNextPoll(begun), signal);
      }
    }
  }

  private due(schedule: SyncSchedule, now: DateTime<true>): DueSync {
    const request = this.settings.sync?.resyncRequest;
    // A person who asks for a sync means now; and a registry without content is of no use until the next window.
    if (this.history.done === undefined) return { trigger: "InitialSync", slot: { start: now } };
    if (request !== undefined && request !== this.history.resyncRequest) {
      return { trigger: "ManualResync", slot: { start: now } };
    }
    const again = this.unfinished;
    if (again !== undefined && (again.end === undefined || now < again.end)) {
      return { trigger: "Schedule", slot: { ...again, start: now } };
    }
    const slot = nextSlot(schedule, now, this.history.done) ?? { start: now.plus(longestSleep) };
    return { trigger: "Schedule", slot };
  }

  private async sync(
    { trigger, slot }: DueSync,
    schedule: SyncSchedule,
    sync: SyncSettings,
    { parent, contact }: Link,
    signal: AbortSignal,
  ): Promise<PassResult> {
    const { board, clock, content, log, metrics } = this.parts;
    const begun = { trigger, startTime: clock.now().toISO() };
    const request = this.settings.sync?.resyncRequest;
    const bytesBefore = this.received;
    const show = (tags = noTags): void => {
      const bytes = this.received - bytesBefore;
      board.update({ copying: true, sync: { ...begun, state: "Syncing", tags, bytes, failures: [] } });
    };
    if (trigger === "ManualResync") this.retries.clear();
    // A routine look at the parent is no news until it finds something.
    if (trigger !== "Schedule") show();
    const result = await within(slot.end, clock, signal, (until) =>
      runPass({
        sync,
        source: parent,
        target: content,
        retries: this.retries,
        referrerChecks: this.referrerChecks,
        parentGone: async () => !(await contact.check()),
        progress: show,
        log,
        signal: until,
      }),
    );
    signal.throwIfAborted();
    const end = clock.now();
    const report = reportOf(begun, result, end, this.received - bytesBefore);
    const complete = result.ending === undefined;
    this.unfinished = complete && result.failures.length > 0 && !schedule.continuous ? slot : undefined;
    board.update({ copying: false });
    board.setFault("Parent", parentFault(result.ending) ?? deniedFault(result.failures));
    metrics.ended(report, end.toSeconds());
    const next = schedule.continuous ? end.plus(this.interval) : nextSlot(schedule, end, end)?.start;
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

  /**
   * Until the next poll, and longer each time while a person, or time, must mend something. Failed tags of a
   * continuous sync rest one by one, so that it keeps its pace for the others.
   */
  private pauseAfter({ ending, failures }: PassResult, begun: DateTime, schedule: SyncSchedule): Duration {
    const refused = parentFault(ending) !== undefined;
    const tryAgain = !schedule.continuous && ending === undefined && failures.length > 0;
    this.setbacks = refused || tryAgain ? this.setbacks + 1 : 0;
    const poll = this.untilNextPoll(begun);
    return this.setbacks === 0 ? poll : longer(poll, this.rest(this.setbacks));
  }

  private untilNextPoll(begun: DateTime): Duration {
    return longer(begun.plus(this.interval).diff(this.parts.clock.now()), shortestPause);
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

function shorter(a: Duration, b: Duration): Duration {
  return milliseconds(Math.min(a.toMillis(), b.toMillis()));
}

function longer(a: Duration, b: Duration): Duration {
  return milliseconds(Math.max(a.toMillis(), b.toMillis()));
}
