import { AsyncLocalStorage } from "node:async_hooks";
import { keyText, kindName, type Kind, type KubeClient, type KubeObject } from "./kube.ts";
import type { ControllerSpec } from "./reconciler.ts";

/**
 * Knows the events of a controller's own writes when they come: a reconcile that wrote an object has read the answer, and
 * need not be repeated because of it. Without this every object that is made is the reason for another reconcile.
 *
 * # Guarantees
 * - Only the very version that the API server answered is taken for ours, and only for the key whose reconcile wrote it. What
 *   somebody else changes after it is another version, and what they changed before it was in the answer.
 * - Once the key is reconciled again, all events count: that reconcile may have gone by a cache that did not have the write.
 */
export class OwnWrites {
  /** Writes through the client that was given, and remembers what came of it. */
  readonly client: KubeClient;
  private readonly current = new AsyncLocalStorage<Set<string>>();
  /** What the last reconcile of a key wrote. */
  private readonly versions = new Map<string, Set<string>>();

  constructor(client: KubeClient) {
    const remembered = <T extends KubeObject | undefined>(kind: Kind<KubeObject>, written: T): T => {
      if (written !== undefined) this.current.getStore()?.add(versionOf(kind, written));
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

  /** The controller that `spec` describes, which works with `client`, without the reconciles that it would cause itself. */
  overlooked(spec: ControllerSpec): ControllerSpec {
    return {
      ...spec,
      watches: spec.watches.map(({ kind, keysFor }) => ({
        kind,
        keysFor: (before, after) => {
          const keys = keysFor(before, after);
          if (after === undefined) return keys;
          const version = versionOf(kind, after);
          return keys.filter((key) => this.versions.get(keyText(key))?.has(version) !== true);
        },
      })),
      reconciler: {
        reconcile: async (key, context) => {
          const text = keyText(key);
          const written = new Set<string>();
          this.versions.set(text, written);
          const action = await this.current.run(written, () => spec.reconciler.reconcile(key, context));
          if (written.size === 0) this.versions.delete(text);
          return action;
        },
      },
    };
  }
}

function versionOf(kind: Kind<KubeObject>, { metadata }: KubeObject): string {
  return `${kindName(kind)} ${metadata.resourceVersion ?? ""}`;
}
