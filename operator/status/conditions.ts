import type { DateTime } from "luxon";

/** `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export type NewCondition = Omit<Condition, "lastTransitionTime">;

/**
 * `conditions` with `next` in the place of the one of its type, or at the end. `lastTransitionTime` moves only when the
 * status does, as the API conventions want it. The very same array if nothing changed.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: NewCondition,
  now: DateTime<true>,
): readonly Condition[] {
  const present = conditions.find(({ type }) => type === next.type);
  if (present === undefined) return [...conditions, { ...next, lastTransitionTime: timestamp(now) }];
  if (
    present.status === next.status &&
    present.reason === next.reason &&
    present.message === next.message &&
    present.observedGeneration === next.observedGeneration
  ) {
    return conditions;
  }
  const lastTransitionTime = present.status === next.status ? present.lastTransitionTime : timestamp(now);
  return conditions.map((condition) => (condition === present ? { ...next, lastTransitionTime } : condition));
}

/** As the API server writes times: UTC, whole seconds. */
export function timestamp(time: DateTime<true>): string {
  return time.toUTC().startOf("second").toISO({ suppressMilliseconds: true });
}
