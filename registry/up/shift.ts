import type { DateTime } from "luxon";
import { nextSlot, type SyncSchedule, type SyncSlot } from "../sync/schedule/window.ts";

/**
 * When changes may go up: always where syncs are continuous; otherwise in every window, also when the sync in it is done;
 * and from each moment of a schedule without a window on until what had come by then is gone.
 *
 * @param oldest when the oldest change that waits was made
 * @returns the slot that is open at `now`, or else the next; `undefined` if there will be none
 */
export function shiftOf(
  schedule: SyncSchedule,
  now: DateTime<true>,
  oldest: DateTime<true>,
): SyncSlot | undefined {
  if (schedule.continuous) return nextSlot(schedule, now, undefined);
  const bounded = schedule.openings.filter(({ window }) => window !== undefined);
  const unbounded = schedule.openings.filter(({ window }) => window === undefined);
  const slots = [
    nextSlot({ ...schedule, openings: bounded }, now, undefined),
    nextSlot({ ...schedule, openings: unbounded }, now, oldest),
  ].filter((slot) => slot !== undefined);
  return slots.sort((a, b) => a.start.toMillis() - b.start.toMillis())[0];
}
