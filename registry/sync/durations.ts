import type { Duration } from "luxon";
import { milliseconds } from "../../common/clock.ts";

/** The shorter of two durations, in milliseconds. */
export function shorter(a: Duration, b: Duration): Duration {
  return milliseconds(Math.min(a.toMillis(), b.toMillis()));
}

/** The longer of two durations, in milliseconds. */
export function longer(a: Duration, b: Duration): Duration {
  return milliseconds(Math.max(a.toMillis(), b.toMillis()));
}
