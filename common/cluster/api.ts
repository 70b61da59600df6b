/**
 * The few calls that a pod of ours makes to its cluster's API server. The registry and the node agent use this port
 * instead of `@kubernetes/client-node`, which alone would take half of the registry's memory (see
 * docs/decisions/0002-light-cluster-client.md).
 */
export interface ClusterApi {
  /** The object at `path` (such as `/api/v1/namespaces/a/secrets/b`), or `undefined` if there is none. */
  get<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /**
   * The object called `name` in the collection at `path`, at once and again after every change; `undefined` while
   * there is none. Goes on until `signal` aborts: a lost connection, 410 or 5xx is met with backoff and a fresh read.
   */
  follow<T>(path: string, name: string, signal: AbortSignal): AsyncIterable<T | undefined>;
  /** Server-side apply, forced, of `object` at `path`. */
  apply(path: string, fieldManager: string, object: object, signal?: AbortSignal): Promise<void>;
}
