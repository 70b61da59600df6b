import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { PersistentVolumeClaim } from "../api/kubernetes.ts";
import { claimName, ownedMeta } from "./names.ts";

/** Whether the volume stays when the registry is deleted: what clients pushed may be nowhere else. */
function retainsVolume({ spec }: ConnectedRegistry): boolean {
  return spec.storage.retainOnDelete ?? spec.mode === "ReadWrite";
}

/** The claim on the volume. Without an owner if it is to outlive the registry. */
export function desiredClaim(registry: ConnectedRegistry): PersistentVolumeClaim {
  const { size, storageClassName } = registry.spec.storage;
  const { ownerReferences, ...metadata } = ownedMeta(registry, claimName(registry.metadata.name));
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...metadata,
      ...(retainsVolume(registry) || ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClassName === undefined ? {} : { storageClassName }),
      resources: { requests: { storage: size } },
    },
  };
}
