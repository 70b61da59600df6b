import {
  maxFailures,
  maxReasons,
  type SyncFailure,
  type SyncStatus,
} from "../../../common/contract/status.ts";
import { byName } from "../planning/by-name.ts";
import { clip } from "../clip.ts";
import { sentenceOf } from "../faults.ts";
import type { PlanFailure } from "../planning/sync-plan.ts";

/** All failures, as people read them. */
export function failuresOf(failures: readonly PlanFailure[]): readonly SyncFailure[] {
  return failures.map(({ repository, tag, error, retryTime }) => ({
    repository,
    ...(tag === undefined ? {} : { tag }),
    message: clip(sentenceOf(error)),
    ...(retryTime === undefined ? {} : { retryTime: retryTime.toISO() ?? "" }),
  }));
}

/** The few that a status has room for, and how many there are of which kind: small whatever the number (T95). */
export function worstOf(failures: readonly SyncFailure[]): Pick<SyncStatus, "failures" | "failureReasons"> {
  const kinds = new Map<string, SyncFailure[]>();
  for (const failure of failures) {
    const kind = kinds.get(failure.message);
    if (kind === undefined) kinds.set(failure.message, [failure]);
    else kind.push(failure);
  }
  const frequent = [...kinds].sort(([, a], [, b]) => b.length - a.length);
  const firsts = frequent.flatMap(([, [first]]) => (first === undefined ? [] : [first]));
  const shown = [...new Set([...firsts, ...failures])].slice(0, maxFailures).sort(byName);
  if (failures.length === 0) return { failures: shown };
  const reasons = frequent.slice(0, maxReasons).map(([message, { length: count }]) => ({ message, count }));
  return { failures: shown, failureReasons: reasons };
}
