import type { Service } from "../../common/service.ts";
import type { ApiServer } from "./api-server.ts";
import {
  kindName,
  type ChangeHandler,
  type Kind,
  type KubeObject,
  type KubeReader,
  type KubeWatcher,
  type Lookup,
  type NamespacedName,
} from "./kube.ts";
import { Informer, type InformerOptions, type WatchScope } from "./watch.ts";

/** One informer for each kind that somebody watches, whoever asked first. */
export class Informers implements KubeWatcher, Service {
  readonly name = "informers";
  private readonly api: ApiServer;
  private readonly scopeOf: (kind: Kind<KubeObject>) => WatchScope;
  private readonly options: InformerOptions;
  private readonly informers = new Map<string, Informer<KubeObject>>();
  private readonly running: Promise<void>[] = [];
  private signal: AbortSignal | undefined;

  constructor(api: ApiServer, scopeOf: (kind: Kind<KubeObject>) => WatchScope, options: InformerOptions) {
    this.api = api;
    this.scopeOf = scopeOf;
    this.options = options;
  }

  watch<T extends KubeObject>(kind: Kind<T>, handler: ChangeHandler<T>): void {
    this.informer(kind).cache.subscribe(handler);
  }

  index<T extends KubeObject>(kind: Kind<T>, valuesOf: (object: T) => readonly string[]): Lookup<T> {
    return this.informer(kind).cache.index(valuesOf);
  }

  async synced(kind: Kind<KubeObject>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener(
        "abort",
        () => {
          reject(signal.reason as Error);
        },
        { once: true, signal: stop.signal },
      );
    });
    await Promise.race([this.informer(kind).synced, aborted]).finally(() => {
      stop.abort();
    });
  }

  ready(): boolean {
    return [...this.informers.values()].every((informer) => informer.hasSynced());
  }

  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    for (const informer of this.informers.values()) this.running.push(informer.run(signal));
    if (!signal.aborted) {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve, { once: true });
      });
    }
    await Promise.all(this.running);
  }

  /**
   * Reads from here what is followed in full, and the rest from `live`: contents where only metadata is kept, and
   * objects outside of the labels and namespaces that are followed. A list of a kind that is followed by labels or
   * namespaces has only what is followed.
   */
  reader(live: KubeReader): KubeReader {
    return {
      get: async <T extends KubeObject>(kind: Kind<T>, key: NamespacedName) => {
        const informer = this.cached(kind);
        if (informer === undefined) return await live.get(kind, key);
        await informer.synced;
        return (
          informer.cache.get(key) ?? (covers(informer.scope, key) ? undefined : await live.get(kind, key))
        );
      },
      list: async <T extends KubeObject>(kind: Kind<T>, namespace?: string) => {
        const informer = this.cached(kind);
        if (informer === undefined) return await live.list(kind, namespace);
        await informer.synced;
        return informer.cache.list(namespace);
      },
    };
  }

  private cached<T extends KubeObject>(kind: Kind<T>): Informer<T> | undefined {
    const informer = this.informers.get(kindName(kind));
    return informer?.scope.metadataOnly === true ? undefined : (informer as Informer<T> | undefined);
  }

  private informer<T extends KubeObject>(kind: Kind<T>): Informer<T> {
    const found = this.informers.get(kindName(kind));
    // Filed under its kind, of which it has the objects.
    if (found !== undefined) return found as unknown as Informer<T>;
    const made = new Informer(this.api, kind, this.scopeOf(kind), this.options);
    this.informers.set(kindName(kind), made as unknown as Informer<KubeObject>);
    if (this.signal !== undefined) this.running.push(made.run(this.signal));
    return made;
  }
}

/** Whether an object that is not in an informer of this scope does not exist. */
function covers({ labelSelector, namespaces }: WatchScope, { namespace }: NamespacedName): boolean {
  return labelSelector === undefined && (namespaces === undefined || namespaces.includes(namespace));
}
