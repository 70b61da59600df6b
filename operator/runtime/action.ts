import type { Duration } from "luxon";

/** What a reconciler wants to happen next. Trying again after a failure is not an action: throw. */
export type Action =
  { readonly kind: "awaitChange" } | { readonly kind: "requeueAfter"; readonly delay: Duration };

/** Nothing to do until a watch says so. */
export const awaitChange: Action = { kind: "awaitChange" };

export function requeueAfter(delay: Duration): Action {
  return { kind: "requeueAfter", delay };
}

/** The one that comes first. */
export function soonest(a: Action, b: Action): Action {
  if (a.kind === "awaitChange") return b;
  if (b.kind === "awaitChange") return a;
  return a.delay.toMillis() <= b.delay.toMillis() ? a : b;
}
