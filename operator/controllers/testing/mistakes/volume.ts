import { StorageClassKind } from "../../../api/kubernetes.ts";
import type { Mistake } from "./mistake.ts";
import type { Scene } from "./scene.ts";

const fresh = { in: "new", condition: "StorageReady" } as const;

/** A storage class that makes no volumes: nothing in this cluster does. */
async function storageClass({ user }: Scene, name: string): Promise<void> {
  const made = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name } } as const;
  const withProvisioner: typeof made & { readonly provisioner: string } = {
    ...made,
    provisioner: "nobody.example/none",
  };
  await user.apply(StorageClassKind, withProvisioner);
}

export const volumeMistakes: readonly Mistake[] = [
  {
    ...fresh,
    mistake: "the cluster has no default storage class",
    make: () => Promise.resolve(),
    reason: "NoStorageClass",
    says: "the cluster has no default storage class",
    then: "waits",
    mend: (scene) => scene.claim("Bound"),
  },
  {
    ...fresh,
    mistake: "the volume is not made",
    make: (scene) => storageClass(scene, "slow"),
    spec: { storage: { size: "5Gi", storageClassName: "slow" } },
    reason: "VolumePending",
    says: 'The PersistentVolumeClaim "contoso-edge-data" is pending.',
    then: "waits",
    mend: (scene) => scene.claim("Bound"),
  },
  {
    ...fresh,
    mistake: "the storage class does not exist",
    make: () => Promise.resolve(),
    spec: { storage: { size: "5Gi", storageClassName: "fast" } },
    reason: "StorageClassNotFound",
    says: 'there is no storage class "fast"',
    then: "waits",
    mend: (scene) => storageClass(scene, "fast"),
    // Storage classes are looked at every five seconds, and a little later each time.
    mendedWithin: 20,
  },
  {
    mistake: "the volume is lost",
    in: "running",
    condition: "StorageReady",
    make: (scene) => scene.claim("Lost"),
    reason: "VolumeLost",
    says: "is gone",
    then: "stalls",
    mend: (scene) => scene.claim("Bound"),
  },
];
