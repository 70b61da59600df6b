import { kindName, type Kind, type KubeClient, type KubeObject } from "./kube.ts";
import type { WatchSpec } from "./reconciler.ts";

/** So many writes later an event of the first has come, or never will. */
const maxRemembered = 4096;

/**
 * Knows the events of one controller's own writes when they come: whoever wrote an object has read the answer, and need not
 * look again because of it. Without this every object that a reconcile makes is the reason for another reconcile.
 *
 * # Guarantees
 * Only the very version that the API server answered is taken for ours. What somebody else changes after it is another
 * version, and what they changed before it was in the answer.
 */
export class OwnWrites {
  /** Writes through the client that was given, and remembers what came of it. */
  readonly client: KubeClient;
  /** In the order in which they were written. */
  private readonly versions = new Set<string>();

  constructor(client: KubeClient) {
    const remembered = <T extends KubeObject | undefined>(kind: Kind<KubeObject>, written: T): T => {
      if (written !== undefined) this.remember(versionOf(kind, written));
      return written;
    };
    this.client = {
      get: (kind, key) => client.get(kind, key),
      list: (kind, namespace) => client.list(kind, namespace),
      delete: (kind, key, uid) => client.delete(kind, key, uid),
      setFinalizers: async (kind, key, finalizers, version) =>
        remembered(kind, await client.setFinalizers(kind, key, finalizers, version)),
      apply: async (kind, object) => remembered(kind, await client.apply(kind, object)),
      applyStatus: async (kind, key, status, version) =>
        remembered(kind, await client.applyStatus(kind, key, status, version)),
      create: async (kind, object) => remembered(kind, await client.create(kind, object)),
    };
  }

  /** `watch`, but for the events of writes that went through `client`. */
  unseen({ kind, keysFor, ...rest }: WatchSpec): WatchSpec {
    return {
      ...rest,
      kind,
      keysFor: (before, after) => {
        const keys = keysFor(before, after);
        return after !== undefined && this.versions.has(versionOf(kind, after)) ? [] : keys;
      },
    };
  }

  private remember(version: string): void {
    this.versions.add(version);
    const [oldest] = this.versions;
    if (this.versions.size > maxRemembered && oldest !== undefined) this.versions.delete(oldest);
  }
}

function versionOf(kind: Kind<KubeObject>, { metadata }: KubeObject): string {
  return `${kindName(kind)} ${metadata.uid ?? ""} ${metadata.resourceVersion ?? ""}`;
}
