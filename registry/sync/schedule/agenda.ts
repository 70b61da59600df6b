import { Duration, type DateTime } from "luxon";
import type { Backoff } from "../../../common/backoff.ts";
import { seconds, type Clock } from "../../../common/clock.ts";
import type { SyncStatus } from "../../../common/contract/status.ts";
import { RateLimitedError } from "../../remote/errors.ts";
import { longer, longestSleep, shorter } from "./durations.ts";
import { parentFault, storageFault } from "../faults.ts";
import type { Asked, History } from "../telling/history.ts";
import type { PassResult } from "../pass.ts";
import type { PollPace } from "./poll-pace.ts";
import type { Recovery } from "../recovery.ts";
import { nextSlot, soonestSlot, type SyncSchedule, type SyncSlot } from "./window.ts";

/** What asks for a sync, and when it may run. */
export interface DueSync {
  readonly trigger: SyncStatus["trigger"];
  readonly slot: SyncSlot;
}

const shortestPause = seconds(1);
/** After so long without a sync the parent is compared with as if nothing were known. */
const longAbsence = Duration.fromObject({ days: 7 });

/** When to sync next: by the schedule, by what a person asks for, and by how the syncs until now have ended. */
export class Agenda {
  private readonly clock: Clock;
  private readonly history: History;
  private readonly recovery: Recovery;
  private readonly pace: PollPace;
  private readonly rest: Backoff;
  /** Syncs in a row that did not do all they should. */
  private setbacks = 0;
  /** Open while something that failed is tried again. */
  private unfinished: SyncSlot | undefined;

  /**
   * @param pace of the polls of a continuous sync
   * @param rest the pause after so many setbacks in a row
   */
  constructor(clock: Clock, history: History, recovery: Recovery, pace: PollPace, rest: Backoff) {
    this.clock = clock;
    this.history = history;
    this.recovery = recovery;
    this.pace = pace;
    this.rest = rest;
  }

  /** The sync whose turn it is; it may start later than `now`. */
  due(schedule: SyncSchedule, now: DateTime<true>, { resyncRequest: request, scope }: Asked): DueSync {
    // A person who asks for a sync means now; and a registry without content is of no use until the next window.
    if (this.history.done === undefined) return { trigger: "InitialSync", slot: soonestSlot(schedule, now) };
    if (this.history.owes(request)) return { trigger: "ManualResync", slot: { start: now } };
    // What the parent lets us have now was asked for long ago.
    if (scope !== undefined && scope !== this.history.scope) {
      return { trigger: "SyncTokenUpdate", slot: { start: now } };
    }
    // As with an initial sync: what is missing here is of no use until the next window.
    if (this.recovery.due) return { trigger: "RecoveryService", slot: soonestSlot(schedule, now) };
    const again = this.unfinished;
    if (again !== undefined && (again.end === undefined || now < again.end)) {
      return { trigger: "Schedule", slot: { ...again, start: now } };
    }
    const slot = nextSlot(schedule, now, this.history.done) ?? { start: now.plus(longestSleep) };
    return { trigger: wasAway(schedule, now, this.history.done) ? "RecoveryService" : "Schedule", slot };
  }

  /** When the sync after one that has ended at `end` is to be expected; `undefined` if the schedule names no time. */
  expected(schedule: SyncSchedule, end: DateTime<true>): DateTime<true> | undefined {
    return nextSlot(schedule, schedule.continuous ? end.plus(this.pace.interval) : end, end)?.start;
  }

  /** A sync has ended: what failed in it is tried again while its slot is open. */
  ended({ ending, failures }: PassResult, slot: SyncSlot, schedule: SyncSchedule): void {
    this.unfinished = ending === undefined && failures.length > 0 && !schedule.continuous ? slot : undefined;
  }

  /**
   * Until the next poll, and longer each time while a person, or time, must mend something. Failed tags of a
   * continuous sync rest one by one, so that it keeps its pace for the others. To be asked once per sync: it counts
   * the setbacks.
   *
   * @param begun when the sync was found due
   */
  pauseAfter({ ending, failures }: PassResult, begun: DateTime, schedule: SyncSchedule): Duration {
    const refused = parentFault(ending) !== undefined || storageFault(ending) !== undefined;
    const tryAgain = !schedule.continuous && ending === undefined && failures.length > 0;
    this.setbacks = refused || tryAgain ? this.setbacks + 1 : 0;
    const poll = this.untilNextPoll(begun);
    if (this.setbacks === 0) return poll;
    const rest = longer(poll, this.rest(this.setbacks));
    // Before that every request fails without being sent (T34).
    const limited = ending instanceof RateLimitedError ? ending.retryAfter : undefined;
    return limited === undefined ? rest : longer(rest, limited);
  }

  /**
   * What is left of the interval that began at `begun`; never so little that a slow parent is asked without a pause, nor
   * more than an interval, whatever the clock was set to meanwhile (T58).
   *
   * @param interval absent: the present one
   */
  untilNextPoll(begun: DateTime, interval = this.pace.interval): Duration {
    return longer(shorter(begun.plus(interval).diff(this.clock.now()), interval), shortestPause);
  }

  /** Whether a person, or time, must mend something before it is worth asking again. */
  get setBack(): boolean {
    return this.setbacks > 0;
  }

  /** A person may have mended something: the next pause is as short as after the first setback. */
  forgive(): void {
    this.setbacks = 0;
  }
}

/**
 * Whether so much may have happened since the last sync that everything is to be compared afresh: a week has passed, and
 * at least one moment of the schedule with nobody there.
 */
function wasAway({ continuous, openings }: SyncSchedule, now: DateTime<true>, done: DateTime<true>): boolean {
  if (now.diff(done) < longAbsence) return false;
  return (
    continuous ||
    openings.some(({ before }) => {
      const last = before(now);
      const missed = last === undefined ? undefined : before(last.minus({ milliseconds: 1 }));
      return missed !== undefined && missed > done;
    })
  );
}
