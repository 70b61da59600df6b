import type { Duration } from "luxon";
import { milliseconds } from "./clock.ts";

/** How long to wait before try number `attempt` (the first retry is 1). */
export type Backoff = (attempt: number) => Duration;

/**
 * Doubles from `base` up to `max`, and takes off up to half at random, so that many who failed together do not
 * come back together.
 *
 * @param random a number in [0, 1), such as `Math.random`
 */
export function exponential(base: Duration, max: Duration, random: () => number): Backoff {
  return (attempt) => {
    const full = Math.min(max.toMillis(), base.toMillis() * 2 ** Math.min(attempt - 1, 30));
    return milliseconds(Math.round(full * (1 - random() / 2)));
  };
}
