import type { KubeClient } from "../kube.ts";

/** `client`, but for the calls in `faults`. */
export function faulty(client: KubeClient, faults: Partial<KubeClient>): KubeClient {
  return {
    get: (kind, key) => client.get(kind, key),
    list: (kind, namespace) => client.list(kind, namespace),
    apply: (kind, object) => client.apply(kind, object),
    applyStatus: (kind, key, status, version) => client.applyStatus(kind, key, status, version),
    create: (kind, object) => client.create(kind, object),
    setFinalizers: (kind, key, finalizers, version) => client.setFinalizers(kind, key, finalizers, version),
    delete: (kind, key, uid) => client.delete(kind, key, uid),
    ...faults,
  };
}
