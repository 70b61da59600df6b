import type { DateTime } from "luxon";
import { weekdays, type LimitWindow, type LinkLimits } from "../../common/contract/link-settings.ts";

const dayMinutes = 24 * 60;

/** A period of a quota. */
export interface QuotaPeriod {
  /** The day or month, such as `2026-11-21` or `2026-11`. */
  readonly id: string;
  /** When the next begins, in UTC. */
  readonly end: DateTime<true>;
}

/** Bytes per second that the link may carry at `local`; `undefined` if it is not limited. */
export function rateAt({ bytesPerSecond, windows }: LinkLimits, local: DateTime<true>): number | undefined {
  const window = windows.find((each) => covers(each, local));
  return window === undefined ? bytesPerSecond : window.bytesPerSecond;
}

/** The day or month that `local` is in, of its own zone. */
export function periodAt(period: "Day" | "Month", local: DateTime<true>): QuotaPeriod {
  const day = local.toISODate();
  return period === "Day"
    ? { id: day, end: local.startOf("day").plus({ days: 1 }).toUTC() }
    : { id: day.slice(0, -3), end: local.startOf("month").plus({ months: 1 }).toUTC() };
}

/** `now` on the clocks of `timeZone`, or in UTC if there is no such zone: then nothing is synced, and somebody told. */
export function localTime(now: DateTime<true>, timeZone: string): DateTime<true> {
  const local = now.setZone(timeZone);
  return local.isValid ? local : now;
}

/** By the clocks on the wall: a window takes an hour more or less when they are changed within it. */
function covers({ from, to, days }: LimitWindow, local: DateTime<true>): boolean {
  const [minute, begin] = [local.hour * 60 + local.minute, minuteOf(from)];
  const length = (minuteOf(to) - begin + dayMinutes) % dayMinutes || dayMinutes;
  if ((minute - begin + dayMinutes) % dayMinutes >= length) return false;
  const begunOn = minute >= begin ? local.weekday : local.minus({ days: 1 }).weekday;
  return days.length === 0 || days.some((day) => weekdays.indexOf(day) + 1 === begunOn);
}

function minuteOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}
