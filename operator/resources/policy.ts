import { IANAZone, type DateTime } from "luxon";
import { parseBlackouts } from "../../common/blackouts.ts";
import { parseCron } from "../../common/cron.ts";
import { messageOf } from "../../common/errors.ts";
import { compileCriteria } from "../../common/selection/criteria.ts";
import { InvalidSelectionError } from "../../common/selection/faults.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import { StalledError } from "../status/errors.ts";

const secondsPer = { s: 1, m: 60, h: 3600 } as const;

/**
 * Judges what a schema cannot.
 *
 * @throws {StalledError}
 */
export function checkPolicy({ spec }: SyncPolicy, now: DateTime<true>): void {
  const { schedule, timeZone, repositories, windows = [], blackouts = [] } = spec;
  if (!IANAZone.isValidZone(timeZone)) {
    throw new StalledError("InvalidTimeZone", `There is no time zone "${timeZone}".`);
  }
  for (const each of [schedule, ...windows.map((window) => window.schedule)]) {
    checkSchedule(each, timeZone, now);
  }
  try {
    parseBlackouts(blackouts, timeZone);
  } catch (cause) {
    throw new StalledError("InvalidSchedule", messageOf(cause), { cause });
  }
  checkSelection(repositories);
}

function checkSchedule(schedule: string, timeZone: string, now: DateTime<true>): void {
  let next: Date | null;
  try {
    next = parseCron(schedule, timeZone).nextRun(now.toJSDate());
  } catch (cause) {
    throw new StalledError("InvalidSchedule", `The schedule "${schedule}" cannot be read.`, { cause });
  }
  if (next === null) throw new StalledError("InvalidSchedule", `The schedule "${schedule}" never comes.`);
}

const shownFaults = 3;

function checkSelection(repositories: SyncPolicy["spec"]["repositories"]): void {
  const faults = repositories.flatMap(({ tags }, index) => {
    try {
      compileCriteria(tags);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidSelectionError)) throw error;
      return error.faults.map(
        ({ field, sentence }) => `The field spec.repositories[${index}].tags.${field} ${sentence}.`,
      );
    }
  });
  if (faults.length === 0) return;
  const more = faults.length > shownFaults ? [`There are ${faults.length - shownFaults} more.`] : [];
  throw new StalledError("InvalidSelection", [...faults.slice(0, shownFaults), ...more].join(" "));
}

/** A duration such as `10m`, in seconds. Its grammar is the schema's to check. */
export function secondsOf(duration: string): number {
  const [, number, unit] = /^([0-9]+)([smh])$/.exec(duration) ?? [];
  return Number(number) * secondsPer[unit as keyof typeof secondsPer];
}
