import { IANAZone, type DateTime } from "luxon";
import { parseCron } from "../../common/cron.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import { StalledError } from "../status/errors.ts";

const secondsPer = { s: 1, m: 60, h: 3600 } as const;

/**
 * Judges what a schema cannot.
 *
 * @throws {StalledError}
 */
export function checkPolicy({ spec }: SyncPolicy, now: DateTime<true>): void {
  const { schedule, timeZone } = spec;
  if (!IANAZone.isValidZone(timeZone)) {
    throw new StalledError("InvalidTimeZone", `There is no time zone "${timeZone}".`);
  }
  let next: Date | null;
  try {
    next = parseCron(schedule, timeZone).nextRun(now.toJSDate());
  } catch (cause) {
    throw new StalledError("InvalidSchedule", `The schedule "${schedule}" cannot be read.`, { cause });
  }
  if (next === null) throw new StalledError("InvalidSchedule", `The schedule "${schedule}" never comes.`);
}

/** `spec.pollInterval` in seconds. Its grammar is the schema's to check. */
export function pollIntervalSeconds({ spec }: SyncPolicy): number {
  const [, number, unit] = /^([0-9]+)([smh])$/.exec(spec.pollInterval) ?? [];
  return Number(number) * secondsPer[unit as keyof typeof secondsPer];
}
