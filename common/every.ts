import type { Duration } from "luxon";
import type { Clock } from "./clock.ts";

/** Does `work` each time `interval` has passed, until `signal` aborts; then resolves, or rejects with what `work` threw. */
export async function every(
  interval: Duration,
  work: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(interval, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    await work();
  }
}
