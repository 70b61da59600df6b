import {
  keyOf,
  kindName,
  type ChangeHandler,
  type Kind,
  type KubeClient,
  type KubeObject,
  type KubeWatcher,
  type Lookup,
  type NamespacedName,
} from "../kube.ts";
import { ObjectCache } from "../object-cache.ts";
import type { FakeCluster } from "./fake-cluster.ts";

interface Pending {
  /** At which call it is seen. */
  readonly due: number;
  show(): void;
}

/** Of these only the metadata is kept by informers: they are always read from the API server. */
const readLive: ReadonlySet<string> = new Set(["v1/secrets"]);

/**
 * A cluster as informers show it: writes take effect at once, and what is followed is seen only so many calls later, in
 * the order in which it happened. Secrets, and what nobody follows, are read as they are.
 */
export class LaggingView implements KubeClient, KubeWatcher {
  private readonly cluster: FakeCluster;
  private readonly lag: number;
  private readonly caches = new Map<string, ObjectCache<KubeObject>>();
  private readonly pending: Pending[] = [];
  private calls = 0;

  /** @param lag in calls; 0: everything is seen at once */
  constructor(cluster: FakeCluster, lag: number) {
    this.cluster = cluster;
    this.lag = lag;
  }

  /** Shows the next change that is not seen yet, and tells whether there was one. */
  catchUp(): boolean {
    const next = this.pending.shift();
    next?.show();
    return next !== undefined;
  }

  async get<T extends KubeObject>(kind: Kind<T>, key: NamespacedName): Promise<T | undefined> {
    this.called();
    const cache = this.followed(kind);
    if (cache === undefined) return await this.cluster.get(kind, key);
    return structuredClone(cache.get(key));
  }

  async list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Promise<readonly T[]> {
    this.called();
    const cache = this.followed(kind);
    if (cache === undefined) return await this.cluster.list(kind, namespace);
    return structuredClone(cache.list(namespace));
  }

  async apply<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    this.called();
    return await this.cluster.apply(kind, object);
  }

  async applyStatus<T extends KubeObject & { readonly status?: object }>(
    kind: Kind<T>,
    key: NamespacedName,
    status: NonNullable<T["status"]>,
    resourceVersion?: string,
  ): Promise<T> {
    this.called();
    return await this.cluster.applyStatus(kind, key, status, resourceVersion);
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T | undefined> {
    this.called();
    return await this.cluster.create(kind, object);
  }

  async setFinalizers<T extends KubeObject>(
    kind: Kind<T>,
    key: NamespacedName,
    finalizers: readonly string[],
    resourceVersion: string,
  ): Promise<T> {
    this.called();
    return await this.cluster.setFinalizers(kind, key, finalizers, resourceVersion);
  }

  async delete<T extends KubeObject>(kind: Kind<T>, key: NamespacedName, uid?: string): Promise<void> {
    this.called();
    await this.cluster.delete(kind, key, uid);
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

  private called(): void {
    this.calls += 1;
    while ((this.pending[0]?.due ?? Number.POSITIVE_INFINITY) <= this.calls) this.catchUp();
  }

  private followed<T extends KubeObject>(kind: Kind<T>): ObjectCache<T> | undefined {
    if (this.lag === 0 || readLive.has(kindName(kind))) return undefined;
    return this.caches.get(kindName(kind)) as ObjectCache<T> | undefined;
  }

  private cache<T extends KubeObject>(kind: Kind<T>): ObjectCache<T> {
    const found = this.caches.get(kindName(kind));
    // Filed under its kind, of which it has the objects.
    if (found !== undefined) return found as unknown as ObjectCache<T>;
    const made = new ObjectCache<T>((error) => {
      throw error;
    });
    this.caches.set(kindName(kind), made as unknown as ObjectCache<KubeObject>);
    this.cluster.watch(kind, (before, after) => {
      const show = (): void => {
        if (after !== undefined) made.set(after);
        else if (before !== undefined) made.delete(keyOf(before));
      };
      if (this.lag === 0) show();
      else this.pending.push({ due: this.calls + this.lag, show });
    });
    return made;
  }
}
