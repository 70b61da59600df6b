import type { Duration } from "luxon";
import type { ManualClock } from "./manual-clock.ts";

/** Lets the event loop turn until `condition` holds. For what real sockets and files do; never a sleep. */
export async function eventually(condition: () => boolean, what = "the condition"): Promise<void> {
  const end = performance.now() + 4000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits until somebody sleeps, then moves time on: for code that pauses between two things it does. */
export async function afterSleep(clock: ManualClock, duration: Duration): Promise<void> {
  await eventually(() => clock.sleeping > 0, "a pause");
  await clock.advance(duration);
}
