import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";

/** An operation took longer than it may. */
class DeadlineExceededError extends Error {
  override readonly name = "DeadlineExceededError";
}

/**
 * Runs `work` with a signal that aborts when `signal` does, or once `limit` has passed.
 *
 * @throws what `work` throws. `work` is waited for: one that does not heed its signal is not cut short.
 */
export async function withDeadline<T>(
  clock: Clock,
  limit: Duration,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const finished = new AbortController();
  clock.sleep(limit, finished.signal).then(
    () => {
      deadline.abort(new DeadlineExceededError(`not done within ${limit.as("seconds")} s`));
    },
    () => undefined,
  );
  try {
    return await work(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
  } finally {
    finished.abort();
  }
}
