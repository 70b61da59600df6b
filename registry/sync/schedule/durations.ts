import type { Duration } from "luxon";
import { milliseconds, seconds } from "../../../common/clock.ts";

/** A long sleep is cut here, to look at the clock again: it may have been set meanwhile (T58). */
export const longestSleep = seconds(3600);

/** The shorter of two durations, in milliseconds. */
export function shorter(a: Duration, b: Duration): Duration {
  return milliseconds(Math.min(a.toMillis(), b.toMillis()));
}

/** The longer of two durations, in milliseconds. */
export function longer(a: Duration, b: Duration): Duration {
  return milliseconds(Math.max(a.toMillis(), b.toMillis()));
}
