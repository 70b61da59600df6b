import { DateTime, Duration, IANAZone } from "luxon";
import { afterBlackouts, nextBlackout, parseBlackouts, type Blackout } from "../../../common/blackouts.ts";
import type { SyncSettings } from "../../../common/contract/config.ts";
import { parseCron } from "../../../common/cron.ts";
import { messageOf } from "../../../common/errors.ts";
import { InvalidScheduleError } from "./schedule-error.ts";

/** When to sync. */
export interface SyncSchedule {
  /** Always, but for blackouts: one pass follows the other. */
  readonly continuous: boolean;
  readonly openings: readonly Opening[];
  /** In order, and apart from each other. */
  readonly blackouts: readonly Blackout[];
}

/** One schedule, and for how long a sync may run from each of its moments on. */
interface Opening {
  /** The last moment of the schedule that is not after `at`. */
  readonly before: (at: DateTime<true>) => DateTime<true> | undefined;
  /** The first moment of the schedule after `at`. */
  readonly after: (at: DateTime<true>) => DateTime<true> | undefined;
  /** Absent: until it is done. */
  readonly window: Duration | undefined;
}

/** When the next sync begins, and when it must end whatever is left to do. */
export interface SyncSlot {
  readonly start: DateTime<true>;
  readonly end?: DateTime<true>;
}

export type ScheduleSettings = Pick<
  SyncSettings,
  "schedule" | "timeZone" | "window" | "windows" | "blackouts"
>;

const shortest = Duration.fromObject({ hours: 1 });
const longest = Duration.fromObject({ days: 7 });

/**
 * Daylight saving: a fixed time that a clock change skips is taken at the first moment after it, and one that comes
 * twice is taken once; what recurs through the day (every half hour) follows the clock on the wall. A window has as many
 * hours as it says, whatever the clocks show at its end.
 *
 * @throws {InvalidScheduleError}
 */
export function parseSchedule(settings: ScheduleSettings): SyncSchedule {
  const { schedule, timeZone, window, windows, blackouts } = settings;
  // UTC needs no look-up, which would load the language data of the whole world: 8 MiB for as long as we run.
  if (timeZone !== "UTC" && !IANAZone.isValidZone(timeZone)) {
    throw new InvalidScheduleError(`"${timeZone}" is not a time zone, such as Europe/Paris.`);
  }
  const continuous = schedule.trim().split(/\s+/).join(" ") === "* * * * *";
  if (continuous && windows.length > 0) {
    throw new InvalidScheduleError("A continuous sync has no windows: give a schedule, or leave them out.");
  }
  return {
    continuous,
    openings: [{ schedule, window }, ...windows].map((each) => openingOf(each, timeZone)),
    blackouts: inWords(() => parseBlackouts(blackouts, timeZone)),
  };
}

/**
 * The slot that is open at `at`, or else the next. A moment of the schedule that was missed (we were not running, or
 * the parent was away, or a blackout kept us) is made up for while its window is open, or whenever possible if there is
 * none. A slot ends with its window, or when a blackout begins. Of windows that are open together, the one counts that
 * ends last.
 *
 * @param done when the last sync began that did all it could. Later than `at`, it was by a clock that was wrong (T58):
 *   whatever was done then says nothing.
 * @returns `undefined` if the schedule never comes again (such as 30 February)
 */
export function nextSlot(
  schedule: SyncSchedule,
  at: DateTime<true>,
  done: DateTime<true> | undefined,
): SyncSlot | undefined {
  if (schedule.continuous) return soonestSlot(schedule, at);
  const last = done !== undefined && done > at ? undefined : done;
  for (let from = afterBlackouts(schedule.blackouts, at); ;) {
    const slot = firstOf(schedule.openings.flatMap((opening) => slotOf(opening, from, last) ?? []));
    if (slot === undefined) return undefined;
    const start = afterBlackouts(schedule.blackouts, slot.start);
    if (start <= slot.start) return cutShort(schedule, slot);
    // What begins in a blackout may go on after it, and so may others.
    from = start;
  }
}

/** As soon as no blackout keeps a sync from running, until one does. */
export function soonestSlot({ blackouts }: Pick<SyncSchedule, "blackouts">, at: DateTime<true>): SyncSlot {
  return cutShort({ blackouts }, { start: afterBlackouts(blackouts, at) });
}

function slotOf(
  { before, after, window }: Opening,
  at: DateTime<true>,
  done: DateTime | undefined,
): SyncSlot | undefined {
  const begun = before(at);
  if (begun !== undefined && (done === undefined || done < begun)) {
    const slot = slotFrom(begun, window);
    if (slot.end === undefined || at < slot.end) return { ...slot, start: at };
  }
  const next = after(at);
  return next === undefined ? undefined : slotFrom(next, window);
}

/** The one that begins first; of those the one that ends last. */
function firstOf(slots: readonly SyncSlot[]): SyncSlot | undefined {
  const endOf = ({ end }: SyncSlot): number => end?.toMillis() ?? Infinity;
  return [...slots].sort(
    (a, b) =>
      a.start.toMillis() - b.start.toMillis() || Number(endOf(a) < endOf(b)) - Number(endOf(a) > endOf(b)),
  )[0];
}

function cutShort({ blackouts }: Pick<SyncSchedule, "blackouts">, slot: SyncSlot): SyncSlot {
  const blackout = nextBlackout(blackouts, slot.start);
  const cut = blackout !== undefined && (slot.end === undefined || blackout < slot.end);
  return cut ? { ...slot, end: blackout } : slot;
}

function slotFrom(start: DateTime<true>, window: Duration | undefined): SyncSlot {
  return window === undefined ? { start } : { start, end: start.plus(window) };
}

function openingOf(
  { schedule, window }: { readonly schedule: string; readonly window?: string | undefined },
  timeZone: string,
): Opening {
  const cron = inWords(() => parseCron(schedule, timeZone));
  return {
    // croner gives the runs before its reference; a moment of the schedule itself counts as begun.
    before: (at) => toDateTime(cron.previousRuns(1, at.plus({ milliseconds: 1 }).toJSDate())[0]),
    after: (at) => toDateTime(cron.nextRun(at.toJSDate())),
    window: parseWindow(window),
  };
}

/** @throws {InvalidScheduleError} with the words of what `parse` throws */
function inWords<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new InvalidScheduleError(messageOf(cause), { cause });
  }
}

function parseWindow(text: string | undefined): Duration | undefined {
  if (text === undefined) return undefined;
  const window = Duration.fromISO(text);
  if (window.isValid && window >= shortest && window <= longest) return window;
  throw new InvalidScheduleError(`"${text}" is not a window between PT1H and P7D.`);
}

function toDateTime(date: Date | null | undefined): DateTime<true> | undefined {
  const moment = date == null ? undefined : DateTime.fromJSDate(date, { zone: "utc" });
  return moment?.isValid === true ? moment : undefined;
}
