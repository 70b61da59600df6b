import { chown, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { KubeApi } from "./kube-api.ts";
import type { ClusterPlan } from "./plan.ts";

/** The class that a claim without a class gets. */
const storageClass = "edge-disk";
const capacity = "500Gi";
const poolSize = 16;
/** As whom images without a root user run by convention. */
const owner = 65_532;

const pool = Array.from({ length: poolSize }, (_, i) => `edge-disk-${String(i).padStart(2, "0")}`);

/** The directories of the node that are handed out as volumes: a pod that is not root can write to them. */
export async function createVolumeDirectories(plan: ClusterPlan): Promise<void> {
  await Promise.all(
    pool.map(async (name) => {
      const directory = volumePath(plan, name);
      await mkdir(directory, { recursive: true, mode: 0o770 });
      await chown(directory, owner, owner);
    }),
  );
}

/** The default storage class, and a pool of local volumes of the one node. */
export async function applyVolumes(api: KubeApi, plan: ClusterPlan): Promise<void> {
  await Promise.all([
    api.apply(`/apis/storage.k8s.io/v1/storageclasses/${storageClass}`, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: storageClass,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: "kubernetes.io/no-provisioner",
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Retain",
    }),
    ...pool.map((name) => api.apply(`/api/v1/persistentvolumes/${name}`, volume(plan, name))),
  ]);
}

interface SeenVolume {
  readonly metadata: { readonly name: string };
  readonly status: { readonly phase: string };
}

/** Empties the volumes whose claims are gone, and hands them out again. */
export async function recycleVolumes(api: KubeApi, plan: ClusterPlan): Promise<void> {
  const { items } = JSON.parse(await api.get("/api/v1/persistentvolumes")) as { items: SeenVolume[] };
  const released = items
    .filter(({ metadata, status }) => pool.includes(metadata.name) && status.phase === "Released")
    .map(({ metadata }) => metadata.name);
  for (const name of released) {
    const directory = volumePath(plan, name);
    for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true });
    await api.patch(`/api/v1/persistentvolumes/${name}`, { spec: { claimRef: null } });
  }
}

function volumePath({ directory }: ClusterPlan, name: string): string {
  return join(directory, "volumes", name);
}

function volume(plan: ClusterPlan, name: string): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: capacity },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: storageClass,
      local: { path: volumePath(plan, name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [plan.nodeName] }],
            },
          ],
        },
      },
    },
  };
}
