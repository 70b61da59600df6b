declare const objectType: unique symbol;

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for objects without a namespace. */
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** What every Kubernetes object has. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Names a kind, and remembers its TypeScript type, so that `get(SyncPolicyKind, …)` is typed. */
export interface Kind<T extends KubeObject> {
  readonly apiVersion: T["apiVersion"];
  readonly kind: T["kind"];
  readonly plural: string;
  readonly namespaced: boolean;
  readonly [objectType]?: T;
}

export interface KubeReader {
  /** Reads from the watch cache where the kind is watched; `undefined` if there is no such object. */
  get<T extends KubeObject>(kind: Kind<T>, key: NamespacedName): Promise<T | undefined>;
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Promise<readonly T[]>;
}

interface KubeWriter {
  /**
   * Server-side apply, forced: we own exactly the fields in `object`, under our field manager. Where
   * `metadata.resourceVersion` is given, only if the object still has it.
   *
   * @throws {ConflictError} if it does not.
   */
  apply<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  /**
   * Server-side apply of the status: we own exactly the fields in `status`. With `resourceVersion`, only if the object
   * still has it: what others said in the status meanwhile is not overruled unseen. Answers the object as it is then.
   *
   * @throws {ConflictError} if the object is gone, or has another version.
   */
  applyStatus<T extends KubeObject & { readonly status?: object }>(
    kind: Kind<T>,
    key: NamespacedName,
    status: NonNullable<T["status"]>,
    resourceVersion?: string,
  ): Promise<T>;
  /** Makes `object`, unless one of its name exists: then that one is left alone, and `undefined` is answered. */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T | undefined>;
  /**
   * Replaces the finalizers of the object that has `resourceVersion`, and changes nothing else of it. No apply: what
   * others have come to own, such as who put the object back from a backup, could not be removed by one. Answers the object
   * as it is then.
   *
   * @throws {ConflictError} if the object is gone, or has another version.
   */
  setFinalizers<T extends KubeObject>(
    kind: Kind<T>,
    key: NamespacedName,
    finalizers: readonly string[],
    resourceVersion: string,
  ): Promise<T>;
  /** No error if there is no such object. With `uid`, only if it is still that one. */
  delete<T extends KubeObject>(kind: Kind<T>, key: NamespacedName, uid?: string): Promise<void>;
}

export interface KubeClient extends KubeReader, KubeWriter {}

/** Sees one object before and after a change: `before` is absent if it appeared, `after` if it is gone. */
export type ChangeHandler<T> = (before: T | undefined, after: T | undefined) => void;

/** The objects that have `value` among what an index made of them. */
export type Lookup<T> = (value: string) => readonly T[];

/** Follows kinds of objects. What is to be followed is said before the program starts to run. */
export interface KubeWatcher {
  /**
   * Calls `handler` with every object there is, then with every change. Changes that follow each other quickly may be
   * seen as one; the last one is always seen.
   */
  watch<T extends KubeObject>(kind: Kind<T>, handler: ChangeHandler<T>): void;
  /** Keeps a lookup of a watched kind up to date: every object is found under each value of `valuesOf`. */
  index<T extends KubeObject>(kind: Kind<T>, valuesOf: (object: T) => readonly string[]): Lookup<T>;
  /** Resolves once all there is of the watched `kind` has been seen. */
  synced(kind: Kind<KubeObject>, signal?: AbortSignal): Promise<void>;
}

/** How the API server names a kind in its paths, and we in maps and logs: `apps/v1/deployments`. */
export function kindName(kind: Kind<KubeObject>): string {
  return `${kind.apiVersion}/${kind.plural}`;
}

/** One string for a key, as `kubectl` writes it: `namespace/name`, or `name` for objects without a namespace. */
export function keyText({ namespace, name }: NamespacedName): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The key of an object; the namespace of one without is empty. */
export function keyOf(object: KubeObject): NamespacedName {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

/** Somebody else changed the object meanwhile. Read it again and retry; not worth a line in the log. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}

/** Nothing can be made in a namespace that is being deleted: what is in it goes, too, and a watch will say so. */
export class NamespaceTerminatingError extends Error {
  override readonly name = "NamespaceTerminatingError";
}

/** The API server refused what we sent: sending it again changes nothing. */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
  /** HTTP status: 400 (unknown field), 403, 404 (no such kind or namespace), 422 (invalid), … */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
