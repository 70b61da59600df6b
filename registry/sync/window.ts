import type { Cron } from "croner";
import { DateTime, Duration, IANAZone } from "luxon";
import type { SyncSettings } from "../../common/contract/config.ts";
import { parseCron } from "../../common/cron.ts";
import { messageOf } from "../../common/errors.ts";

/** When to sync. */
export interface SyncSchedule {
  /** Always: one pass follows the other. */
  readonly continuous: boolean;
  /** The last moment of the schedule that is not after `at`. */
  readonly before: (at: DateTime<true>) => DateTime<true> | undefined;
  /** The first moment of the schedule after `at`. */
  readonly after: (at: DateTime<true>) => DateTime<true> | undefined;
  /** How long a sync may run from such a moment on; absent: until it is done. */
  readonly window: Duration | undefined;
}

/** When the next sync begins, and when it must end whatever is left to do. */
export interface SyncSlot {
  readonly start: DateTime<true>;
  readonly end?: DateTime<true>;
}

/** A schedule, time zone or window that cannot be read. Its message says which. */
export class InvalidScheduleError extends Error {
  override readonly name = "InvalidScheduleError";
}

export type ScheduleSettings = Pick<SyncSettings, "schedule" | "timeZone" | "window">;

const shortest = Duration.fromObject({ hours: 1 });
const longest = Duration.fromObject({ days: 7 });

/**
 * Daylight saving: a fixed time that a clock change skips is taken at the first moment after it, and one that comes
 * twice is taken once; what recurs through the day (every half hour) follows the clock on the wall.
 *
 * @throws {InvalidScheduleError}
 */
export function parseSchedule(settings: ScheduleSettings): SyncSchedule {
  const { schedule, timeZone } = settings;
  // UTC needs no look-up, which would load the language data of the whole world: 8 MiB for as long as we run.
  if (timeZone !== "UTC" && !IANAZone.isValidZone(timeZone)) {
    throw new InvalidScheduleError(`"${timeZone}" is not a time zone, such as Europe/Paris.`);
  }
  const window = parseWindow(settings.window);
  const cron = cronOf(schedule, timeZone);
  return {
    continuous: schedule.trim().split(/\s+/).join(" ") === "* * * * *",
    // croner gives the runs before its reference; a moment of the schedule itself counts as begun.
    before: (at) => toDateTime(cron.previousRuns(1, at.plus({ milliseconds: 1 }).toJSDate())[0]),
    after: (at) => toDateTime(cron.nextRun(at.toJSDate())),
    window,
  };
}

/**
 * The slot that is open at `at`, or else the next. A moment of the schedule that was missed (we were not running, or
 * the parent was away) is made up for while its window is open, or whenever possible if there is none.
 *
 * @param done when the last sync began that did all it could
 * @returns `undefined` if the schedule never comes again (such as 30 February)
 */
export function nextSlot(
  schedule: SyncSchedule,
  at: DateTime<true>,
  done: DateTime<true> | undefined,
): SyncSlot | undefined {
  if (schedule.continuous) return { start: at };
  const begun = schedule.before(at);
  if (begun !== undefined && (done === undefined || done < begun)) {
    const slot = slotFrom(begun, schedule.window);
    if (slot.end === undefined || at < slot.end) return { ...slot, start: at };
  }
  const next = schedule.after(at);
  return next === undefined ? undefined : slotFrom(next, schedule.window);
}

function slotFrom(start: DateTime<true>, window: Duration | undefined): SyncSlot {
  return window === undefined ? { start } : { start, end: start.plus(window) };
}

function cronOf(schedule: string, timeZone: string): Cron {
  try {
    return parseCron(schedule, timeZone);
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
