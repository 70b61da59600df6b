import type { Clock } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import {
  ConflictError,
  keyOf,
  keyText,
  kindName,
  RejectedError,
  type ChangeHandler,
  type Kind,
  type KubeClient,
  type KubeObject,
  type KubeWatcher,
  type Lookup,
  type NamespacedName,
  type ObjectMeta,
} from "../kube.ts";
import { ObjectCache } from "../object-cache.ts";
import { applyFields, same, type Json, type Ownership } from "./managed-fields.ts";

/** The manager of everything written through the `FakeCluster` itself: the operator's. */
const operator = "connected-registry-operator";
const user = "kubectl";

interface Stored {
  object: KubeObject;
  readonly ownership: Ownership;
}

/**
 * An API server in memory: resource versions, generations, server-side apply with owners of fields, finalizers, and
 * the garbage collection of owned objects. It passes the same suite as the real client (`conformance.ts`).
 *
 * # Caveats
 * It validates nothing, fills in only the defaults that it is given, takes every kind and namespace as given, owns lists as a whole, and
 * shows every change at once: a real cache lags behind.
 */
export class FakeCluster implements KubeClient, KubeWatcher {
  /** Every call that writes, in order, such as `apply apps/v1/deployments edge/a`; not what `put` does. */
  readonly writes: string[] = [];
  private readonly clock: Clock;
  private readonly complete: (object: KubeObject) => KubeObject;
  private readonly stored = new Map<string, Map<string, Stored>>();
  private readonly caches = new Map<string, ObjectCache<KubeObject>>();
  private lastVersion = 0;

  /** @param complete fills in what an object leaves out, on behalf of nobody: the defaults of a schema */
  constructor(
    clock: Clock = new ManualClock(),
    complete: (object: KubeObject) => KubeObject = (object) => object,
  ) {
    this.clock = clock;
    this.complete = complete;
  }

  /** The cluster as another field manager sees it: the registry's pod, another controller. */
  as(manager: string): KubeClient {
    return {
      get: (kind, key) => this.get(kind, key),
      list: (kind, namespace) => this.list(kind, namespace),
      apply: async (kind, object) => this.applyAs(manager, kind, object),
      applyStatus: async (kind, key, status, resourceVersion) =>
        this.applyStatusAs(manager, kind, key, status, resourceVersion),
      create: async (kind, object) => this.createAs(manager, kind, object),
      setFinalizers: (kind, key, finalizers, version) => this.setFinalizers(kind, key, finalizers, version),
      delete: (kind, key, uid) => this.delete(kind, key, uid),
    };
  }

  /** What a user does with `kubectl replace`, or a controller of Kubernetes that also has a status to tell. */
  put<T extends KubeObject>(kind: Kind<T>, object: T): T {
    const live = this.find(kind, keyOf(object));
    const ownership: Ownership = live?.ownership ?? new Map<string, ReadonlySet<string>>();
    if (live === undefined) applyFields({}, ownedPart(object), user, ownership);
    const status = statusOf(object) ?? statusOf(live?.object);
    const next = { ...object, metadata: userMeta(object), ...(status === undefined ? {} : { status }) };
    return this.store(kind, next, ownership, live) as T;
  }

  async get<T extends KubeObject>(kind: Kind<T>, key: NamespacedName): Promise<T | undefined> {
    const found = this.find(kind, key);
    return found === undefined ? undefined : (structuredClone(found.object) as T);
  }

  async list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Promise<readonly T[]> {
    return [...this.objectsOf(kind).values()]
      .filter(({ object }) => namespace === undefined || object.metadata.namespace === namespace)
      .map(({ object }) => structuredClone(object) as T);
  }

  async apply<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.applyAs(operator, kind, object);
  }

  async applyStatus<T extends KubeObject & { readonly status?: object }>(
    kind: Kind<T>,
    key: NamespacedName,
    status: NonNullable<T["status"]>,
    resourceVersion?: string,
  ): Promise<T> {
    return this.applyStatusAs(operator, kind, key, status, resourceVersion);
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T | undefined> {
    return this.createAs(operator, kind, object);
  }

  async setFinalizers<T extends KubeObject>(
    kind: Kind<T>,
    key: NamespacedName,
    finalizers: readonly string[],
    resourceVersion: string,
  ): Promise<T> {
    const live = this.find(kind, key);
    if (live?.object.metadata.resourceVersion !== resourceVersion) {
      throw new ConflictError(`${kindName(kind)} ${keyText(key)} is gone, or has changed`);
    }
    const { metadata } = live.object;
    const known = metadata.finalizers ?? [];
    if (metadata.deletionTimestamp !== undefined && finalizers.some((one) => !known.includes(one))) {
      throw new RejectedError(422, "no new finalizers can be added if the object is being deleted");
    }
    this.writes.push(`setFinalizers ${kindName(kind)} ${keyText(key)}`);
    const others = without(metadata, ["finalizers"]) as unknown as ObjectMeta;
    const given = finalizers.length === 0 ? {} : { finalizers };
    const next = { ...live.object, metadata: { ...others, ...given } };
    return this.store(kind, next, live.ownership, live) as T;
  }

  async delete<T extends KubeObject>(kind: Kind<T>, key: NamespacedName, uid?: string): Promise<void> {
    this.writes.push(`delete ${kindName(kind)} ${keyText(key)}`);
    const live = this.find(kind, key);
    if (live !== undefined && (uid === undefined || live.object.metadata.uid === uid)) this.drop(kind, live);
  }

  /** Every object of every kind. */
  all(): readonly KubeObject[] {
    return [...this.stored.values()].flatMap((objects) =>
      [...objects.values()].map(({ object }) => structuredClone(object)),
    );
  }

  watch<T extends KubeObject>(kind: Kind<T>, handler: ChangeHandler<T>): void {
    this.cache(kind).subscribe(handler);
  }

  index<T extends KubeObject>(kind: Kind<T>, valuesOf: (object: T) => readonly string[]): Lookup<T> {
    return this.cache(kind).index(valuesOf);
  }

  async synced(): Promise<void> {
    await Promise.resolve();
  }

  private applyAs<T extends KubeObject>(manager: string, kind: Kind<T>, object: T): T {
    const live = this.find(kind, keyOf(object));
    const { uid, resourceVersion } = object.metadata;
    const stale = resourceVersion !== undefined && resourceVersion !== live?.object.metadata.resourceVersion;
    if (stale || (uid !== undefined && uid !== live?.object.metadata.uid)) {
      throw new ConflictError(`${kindName(kind)} ${keyText(keyOf(object))} has changed`);
    }
    this.writes.push(`apply ${kindName(kind)} ${keyText(keyOf(object))}`);
    const ownership: Ownership = live?.ownership ?? new Map<string, ReadonlySet<string>>();
    const base = live?.object ?? bare(object);
    const next = applyFields(asJson(base), ownedPart(object), manager, ownership);
    return this.store(kind, next as unknown as KubeObject, ownership, live) as T;
  }

  private applyStatusAs<T extends KubeObject>(
    manager: string,
    kind: Kind<T>,
    key: NamespacedName,
    status: object,
    resourceVersion?: string,
  ): T {
    const live = this.find(kind, key);
    if (live === undefined) throw new ConflictError(`${kindName(kind)} ${keyText(key)} is gone`);
    if (resourceVersion !== undefined && resourceVersion !== live.object.metadata.resourceVersion) {
      throw new ConflictError(`${kindName(kind)} ${keyText(key)} has changed`);
    }
    this.writes.push(`applyStatus ${kindName(kind)} ${keyText(key)}`);
    const next = applyFields(asJson(live.object), { status }, `${manager}/status`, live.ownership);
    return this.store(kind, next as unknown as KubeObject, live.ownership, live) as T;
  }

  private createAs<T extends KubeObject>(manager: string, kind: Kind<T>, object: T): T | undefined {
    if (this.find(kind, keyOf(object)) !== undefined) return undefined;
    return this.applyAs(manager, kind, object);
  }

  /** Numbers, dates and shows `next`, unless it is what is there already. */
  private store(kind: Kind<KubeObject>, next: KubeObject, ownership: Ownership, live?: Stored): KubeObject {
    const before = live?.object;
    const proposed = structuredClone({
      ...this.complete({ ...next, apiVersion: kind.apiVersion, kind: kind.kind }),
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: {
        ...next.metadata,
        uid:
          before?.metadata.uid ?? `00000000-0000-4000-8000-${String(this.lastVersion + 1).padStart(12, "0")}`,
        creationTimestamp: before?.metadata.creationTimestamp ?? this.timestamp(),
        generation: before?.metadata.generation ?? 1,
        resourceVersion: before?.metadata.resourceVersion ?? "",
      },
    });
    if (before !== undefined && same(proposed, before)) return structuredClone(before);
    const marked = proposed.metadata.deletionTimestamp !== before?.metadata.deletionTimestamp;
    const changed = before !== undefined && (marked || !same(specPart(proposed), specPart(before)));
    this.lastVersion += 1;
    const metadata = {
      ...proposed.metadata,
      generation: proposed.metadata.generation + (changed ? 1 : 0),
      resourceVersion: String(this.lastVersion),
    };
    const stored: KubeObject = { ...proposed, metadata };
    const finished = "deletionTimestamp" in metadata && (next.metadata.finalizers ?? []).length === 0;
    if (finished) this.erase(kind, stored);
    else {
      this.objectsOf(kind).set(keyText(keyOf(stored)), { object: stored, ownership });
      this.cache(kind).set(stored);
    }
    return structuredClone(stored);
  }

  private drop(kind: Kind<KubeObject>, live: Stored): void {
    const { metadata } = live.object;
    if ((metadata.finalizers ?? []).length === 0) this.erase(kind, live.object);
    else if (metadata.deletionTimestamp === undefined) {
      const marked = { ...metadata, deletionTimestamp: this.timestamp() };
      this.store(kind, { ...live.object, metadata: marked }, live.ownership, live);
    }
  }

  private erase(kind: Kind<KubeObject>, object: KubeObject): void {
    this.objectsOf(kind).delete(keyText(keyOf(object)));
    this.cache(kind).delete(keyOf(object));
    for (const [name, objects] of this.stored) {
      for (const dependent of [...objects.values()]) {
        const { apiVersion, kind: ofDependent, metadata } = dependent.object;
        const owners = metadata.ownerReferences ?? [];
        if (!owners.some(({ uid }) => uid === object.metadata.uid)) continue;
        if (owners.some(({ uid }) => this.exists(uid))) continue;
        const plural = name.slice(name.lastIndexOf("/") + 1);
        this.drop({ apiVersion, kind: ofDependent, plural, namespaced: true }, dependent);
      }
    }
  }

  private timestamp(): string {
    return this.clock.now().startOf("second").toISO({ suppressMilliseconds: true });
  }

  private exists(uid: string): boolean {
    return [...this.stored.values()].some((objects) =>
      [...objects.values()].some(({ object }) => object.metadata.uid === uid),
    );
  }

  private find(kind: Kind<KubeObject>, key: NamespacedName): Stored | undefined {
    return this.objectsOf(kind).get(keyText(key));
  }

  private objectsOf(kind: Kind<KubeObject>): Map<string, Stored> {
    const found = this.stored.get(kindName(kind));
    if (found !== undefined) return found;
    const made = new Map<string, Stored>();
    this.stored.set(kindName(kind), made);
    return made;
  }

  private cache<T extends KubeObject>(kind: Kind<T>): ObjectCache<T> {
    const found = this.caches.get(kindName(kind));
    if (found !== undefined) return found as unknown as ObjectCache<T>;
    const made = new ObjectCache<T>((error) => {
      throw error;
    });
    this.caches.set(kindName(kind), made as unknown as ObjectCache<KubeObject>);
    for (const { object } of this.objectsOf(kind).values()) made.set(object as T);
    return made;
  }
}

const givenByServer = ["uid", "resourceVersion", "generation", "creationTimestamp"] as const;

/** What a manager says about an object by applying it: everything but its identity and its status. */
function ownedPart(object: KubeObject): Json {
  const metadata = without(object.metadata, ["name", "namespace", ...givenByServer]);
  return { ...without(object, ["apiVersion", "kind", "metadata", "status"]), metadata };
}

function bare({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

function specPart(object: KubeObject): Json {
  return without(object, ["metadata", "status"]);
}

function userMeta({ metadata }: KubeObject): ObjectMeta {
  return { ...without(metadata, givenByServer), name: metadata.name };
}

function without(value: object, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function statusOf(object: KubeObject | undefined): unknown {
  return (object as { status?: unknown } | undefined)?.status;
}

function asJson(object: KubeObject): Json {
  return object as unknown as Json;
}
