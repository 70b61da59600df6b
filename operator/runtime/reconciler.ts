import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Action } from "./action.ts";
import type { NamespacedName } from "./kube.ts";

/**
 * Makes the world match one object. Called with a key, never with an event: every call reads the current state and
 * must be idempotent. Never called twice at once for one key.
 */
export interface Reconciler {
  /** @throws anything: the controller retries `key` with backoff. A `ConflictError` is retried without a word. */
  reconcile(key: NamespacedName, context: ReconcileContext): Promise<Action>;
}

export interface ReconcileContext {
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
