import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { Lease } from "../api/kubernetes.ts";
import { ownedMeta } from "./names.ts";

/** The heartbeat's place: made here, so that the pod need not be allowed to create any; filled by the pod. */
export function desiredLease(registry: ConnectedRegistry): Lease {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: ownedMeta(registry, registry.metadata.name),
  };
}
