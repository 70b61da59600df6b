import type { Backoff } from "../../common/backoff.ts";
import { seconds, type Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { ApiError, apiPath, received, type ApiServer } from "./api-server.ts";
import { kindName, type Kind, type KubeObject } from "./kube.ts";
import { ObjectCache } from "./object-cache.ts";
import { listAll } from "./rest-client.ts";

/** Which objects of a kind are followed, and how much of each is kept. */
export interface WatchScope {
  /** Only in these namespaces, with one watch for each; in all, if absent. */
  readonly namespaces?: readonly string[];
  /** Only objects with these labels, as in `a=b,c`. */
  readonly labelSelector?: string;
  /** Nothing but the metadata is received and kept: changes are seen, contents are read from the API server. */
  readonly metadataOnly?: boolean;
}

export interface InformerOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly log: Logger;
}

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly code?: number; readonly reason?: string; readonly message?: string };
}

/** The API server ends a watch after this time. */
const watchSeconds = 300;
/** Bookmarks come about once a minute: two missed are a dead connection. */
const watchIdle = seconds(150);
/** After so many failures in a row it is the version that we watch from which is in doubt. */
const failuresToRelist = 3;

/**
 * Keeps the objects of one kind as the API server has them.
 *
 * # Guarantees
 * - It never ends before its signal: lost connections, ended watches, 410, 5xx, expired tokens, missing rights and
 *   missing kinds are met with backoff, and a fresh list where what was missed cannot be told any more.
 * - After every such gap what is here is what there is, and subscribers were told each difference once.
 *
 * # Caveats
 * It lags behind the API server; what we wrote ourselves appears here only when its event has come.
 */
export class Informer<T extends KubeObject> {
  readonly cache: ObjectCache<T>;
  readonly scope: WatchScope;
  /** Resolves when all there is has been read once. */
  readonly synced: Promise<void>;
  private isSynced = false;
  private readonly api: ApiServer;
  private readonly kind: Kind<T>;
  private readonly options: InformerOptions;
  private readonly log: Logger;
  private readonly accept: string;
  private readonly unread: Set<string | undefined>;
  private readonly readOnce: () => void;

  constructor(api: ApiServer, kind: Kind<T>, scope: WatchScope, options: InformerOptions) {
    this.api = api;
    this.kind = kind;
    this.scope = scope;
    this.options = options;
    this.log = options.log.with({ kind: kindName(kind) });
    this.accept =
      scope.metadataOnly === true
        ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        : "application/json";
    this.cache = new ObjectCache((error) => {
      this.log.error("a subscriber failed", { error });
    });
    this.unread = new Set(kind.namespaced ? (scope.namespaces ?? [undefined]) : [undefined]);
    let readOnce = (): void => undefined;
    this.synced = new Promise((resolve) => {
      readOnce = resolve;
    });
    this.readOnce = readOnce;
  }

  hasSynced(): boolean {
    return this.isSynced;
  }

  /** Follows until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.unread].map((namespace) => this.follow(namespace, signal)));
  }

  private async follow(namespace: string | undefined, signal: AbortSignal): Promise<void> {
    const { clock, backoff } = this.options;
    let version: string | undefined;
    let failures = 0;
    let troubled = false;
    while (!isAborted(signal)) {
      try {
        version ??= await this.list(namespace, signal);
        for await (version of this.watch(namespace, version, signal)) {
          if (troubled) this.log.info("following again");
          failures = 0;
          troubled = false;
        }
        // An end without a word may be one of many: something between us and the API server cuts every watch.
        failures += 1;
      } catch (error) {
        if (isAborted(signal)) return;
        failures += 1;
        const expired = error instanceof ApiError && error.status === 410;
        if (expired || failures % failuresToRelist === 0) version = undefined;
        const fields = { error: messageOf(error), failures, relist: version === undefined };
        if (expired || troubled) this.log.debug("cannot follow", fields);
        else this.log.warn("cannot follow, trying again", fields);
        troubled ||= !expired;
      }
      if (failures > 0) await clock.sleep(backoff(failures), signal).catch(() => undefined);
    }
  }

  private async list(namespace: string | undefined, signal: AbortSignal): Promise<string> {
    const accept = this.accept.replace("PartialObjectMetadata", "PartialObjectMetadataList");
    const path = apiPath(this.kind, namespace);
    const { items, resourceVersion } = await listAll(this.api, this.kind, path, this.selection(), {
      accept,
      signal,
    });
    this.cache.replace(items, namespace);
    this.unread.delete(namespace);
    if (this.unread.size === 0 && !this.isSynced) {
      this.isSynced = true;
      this.log.debug("synced", { objects: this.cache.list().length });
      this.readOnce();
    }
    return resourceVersion;
  }

  /** The version reached, after every event. */
  private async *watch(
    namespace: string | undefined,
    version: string,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}`;
    const lines = this.api.lines({
      method: "GET",
      path: `${apiPath(this.kind, namespace)}?${query}&resourceVersion=${version}${this.selection()}`,
      accept: this.accept,
      idleTimeout: watchIdle,
      signal,
    });
    for await (const line of lines) {
      const { type, object } = JSON.parse(line) as WatchEvent<T>;
      if (type === "ERROR") {
        throw new ApiError(object.code ?? 500, object.reason ?? "", object.message ?? "the watch failed");
      }
      const { namespace: of, name, resourceVersion } = object.metadata;
      if (type === "DELETED") this.cache.delete({ namespace: of ?? "", name });
      else if (type !== "BOOKMARK") this.cache.set(received(this.kind, object));
      if (resourceVersion !== undefined) yield resourceVersion;
    }
  }

  private selection(): string {
    const { labelSelector } = this.scope;
    return labelSelector === undefined ? "" : `&labelSelector=${encodeURIComponent(labelSelector)}`;
  }
}

/** A function, because the compiler takes a property that it has read once for settled. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
