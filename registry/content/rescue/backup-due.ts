import type { DateTime } from "luxon";

/** What decides whether the database is to be copied. */
export interface BackupFacts {
  /** Of the last copy; absent: there is none. */
  readonly takenAt?: DateTime;
  /** Rows that were changed since that copy, or since the start. */
  readonly changes: number;
  /** Whether this process has not made a copy yet: how much an earlier one changed nobody knows. */
  readonly first: boolean;
}

const daily = { hours: 24 };
/** So much is a bulk of pushes, or a sync that brought something new. */
const manyChanges = 1_000;
const soonest = { minutes: 10 };

/** Daily where something changed, and sooner after big changes. */
export function backupDue({ takenAt, changes, first }: BackupFacts, now: DateTime): boolean {
  if (takenAt === undefined) return changes > 0 || first;
  // A clock that was set back must not end all copying.
  const age = now.diff(takenAt).toMillis();
  if (age < 0 || age >= now.diff(now.minus(daily)).toMillis()) return changes > 0 || first;
  return changes >= manyChanges && takenAt.plus(soonest) <= now;
}
