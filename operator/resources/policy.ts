import { IANAZone, type DateTime } from "luxon";
import { parseBlackouts } from "../../common/blackouts.ts";
import { parseCron } from "../../common/cron.ts";
import { messageOf } from "../../common/errors.ts";
import { compileCriteria } from "../../common/selection/criteria.ts";
import { InvalidSelectionError } from "../../common/selection/faults.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import { StalledError } from "../status/errors.ts";

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

/** The policy as `registry` follows it: what its spec.sync says goes before; a schedule brings its own window, or none. */
export function adjustedPolicy({ spec: { sync } }: ConnectedRegistry, policy: SyncPolicy): SyncPolicy {
  if (sync === undefined) return policy;
  const { window, windows, ...spec } = policy.spec;
  const { schedule = spec.schedule, timeZone = spec.timeZone } = sync;
  const open =
    sync.schedule === undefined
      ? { ...(window === undefined ? {} : { window }), ...(windows === undefined ? {} : { windows }) }
      : { ...(sync.window === undefined ? {} : { window: sync.window }) };
  return { ...policy, spec: { ...spec, schedule, timeZone, ...open } };
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
