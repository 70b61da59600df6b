import type { DateTime } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { SyncFailure, SyncStatus } from "../../common/contract/status.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import { longestSleep, shorter } from "./schedule/durations.ts";
import { clip } from "./clip.ts";
import { worstOf } from "./telling/failures.ts";
import type { PassResult, TagCounts } from "./pass.ts";
import type { Progress } from "./telling/progress.ts";

/** A person wants a sync now: the routine one makes way, and that one does what is left. */
export class SupersededError extends Error {
  override readonly name = "SupersededError";
}

/** The window has closed: what is left is postponed. */
class WindowClosedError extends Error {
  override readonly name = "WindowClosedError";
}

export const noTags: TagCounts = { selected: 0, upToDate: 0, copied: 0, failed: 0, postponed: 0 };

/** How a sync ended, in the words of the contract. @param failures all of them */
export function reportOf(
  begun: Pick<SyncStatus, "trigger" | "startTime">,
  { tags, notice, ending }: PassResult,
  failures: readonly SyncFailure[],
  end: DateTime<true>,
  progress: Progress,
): SyncStatus {
  return {
    ...begun,
    state: stateOf(tags, failures.length, ending),
    endTime: end.toISO(),
    tags,
    ...progress,
    ...(notice === undefined ? {} : { message: clip(notice) }),
    ...worstOf(failures),
  };
}

function stateOf({ upToDate, copied }: TagCounts, failures: number, ending: unknown): SyncStatus["state"] {
  if (ending instanceof WindowClosedError) return "TimedOut";
  if (ending instanceof LinkQuotaError || ending instanceof SupersededError) return "Pending";
  if (ending !== undefined) return "Failed";
  if (failures === 0) return "Succeeded";
  return upToDate + copied > 0 ? "Partial" : "Failed";
}

/** Runs `work` with a signal that aborts with `WindowClosedError` at `end`, and with `signal`. */
export async function within<T>(
  end: DateTime<true> | undefined,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (end === undefined) return await work(signal);
  const window = new AbortController();
  const over = new AbortController();
  const closing = until(end, clock, over.signal).then(
    () => {
      window.abort(new WindowClosedError("the window has closed"));
    },
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, window.signal]));
  } finally {
    over.abort();
    await closing;
  }
}

/** Looks at the clock again now and then: it may be set meanwhile (T58), and no timer runs for more than some weeks. */
async function until(end: DateTime<true>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let left; (left = end.diff(clock.now())).toMillis() > 0;) {
    await clock.sleep(shorter(left, longestSleep), signal);
  }
}
