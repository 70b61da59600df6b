import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import { sameJson } from "../../common/same-json.ts";
import type { Action } from "./action.ts";
import type { Kind, KubeObject, NamespacedName } from "./kube.ts";

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
  /** Aborts at the deadline of this reconcile, and when the program stops. */
  readonly signal: AbortSignal;
}

/** A reconciler, and what makes it run. */
export interface ControllerSpec {
  /** As metrics and logs call it: lower case, one word. */
  readonly name: string;
  readonly reconciler: Reconciler;
  readonly watches: readonly WatchSpec[];
  /** How many keys are reconciled at once. */
  readonly workers: number;
  /** How long after a change a key is looked at, once for all that change meanwhile; at once, if absent. */
  readonly settle?: Duration;
}

/** Which keys a change of one kind of object concerns. Made by `watchOf`, which knows the kind's type. */
export interface WatchSpec {
  readonly kind: Kind<KubeObject>;
  readonly keysFor: KeysFor<KubeObject>;
}

/** Sees what a change made of an object: both sides may point at other keys, and both need a look. */
type KeysFor<T> = (before: T | undefined, after: T | undefined) => readonly NamespacedName[];

export function watchOf<T extends KubeObject>(kind: Kind<T>, keysFor: KeysFor<T>): WatchSpec {
  // A watch of `kind` shows objects of its type only.
  return { kind, keysFor: keysFor as KeysFor<KubeObject> };
}

/** `keysFor`, but for changes of nothing but the status: for those who go by the spec alone. */
export function ofSpec<T extends KubeObject>(keysFor: KeysFor<T>): KeysFor<T> {
  return (before, after) =>
    before !== undefined && after !== undefined && sameJson(intentOf(before), intentOf(after))
      ? []
      : keysFor(before, after);
}

function intentOf({ metadata }: KubeObject): object {
  const { uid, generation, deletionTimestamp, labels, annotations } = metadata;
  return { uid, generation, deletionTimestamp, labels, annotations };
}

/** The object itself. */
export function itself(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): readonly NamespacedName[] {
  const { namespace, name } = (after ?? before)?.metadata ?? {};
  return name === undefined ? [] : [{ namespace: namespace ?? "", name }];
}

/** The objects of `owner`'s kind that own it, before or after. */
export function ownersOf(owner: Kind<KubeObject>): KeysFor<KubeObject> {
  return (before, after) =>
    [before, after].flatMap((object) =>
      (object?.metadata.ownerReferences ?? [])
        .filter(({ apiVersion, kind }) => apiVersion === owner.apiVersion && kind === owner.kind)
        .map(({ name }) => ({ namespace: object?.metadata.namespace ?? "", name })),
    );
}
