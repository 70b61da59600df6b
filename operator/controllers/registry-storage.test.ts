import { Duration } from "luxon";
import { parseSettings } from "../../common/contract/config.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  PersistentVolumeClaimKind,
  StorageClassKind,
  type PersistentVolumeClaim,
} from "../api/kubernetes.ts";
import { RejectedError } from "../runtime/kube.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { edge, Rig } from "./testing/rig.ts";

const gibibyte = 2 ** 30;
const own = "contoso-edge-data";

async function quota(rig: Rig): Promise<number | undefined> {
  return parseSettings(await rig.json("contoso-edge-config", "settings.json")).storageQuotaBytes;
}

function storageClass(rig: Rig, name: string, allowVolumeExpansion: boolean): void {
  rig.cluster.put(StorageClassKind, {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    allowVolumeExpansion,
  });
}

/** What the storage system says of the claim. */
async function tell(rig: Rig, status: PersistentVolumeClaim["status"]): Promise<void> {
  const claim = await rig.get(PersistentVolumeClaimKind, own);
  rig.cluster.put(PersistentVolumeClaimKind, { ...claim, status: { phase: "Bound", ...status } });
  await rig.settle();
}

/** A registry that runs on 20Gi of the storage class `standard`. */
async function running(allowVolumeExpansion: boolean): Promise<Rig> {
  const rig = await Rig.withSamples();
  storageClass(rig, "standard", allowVolumeExpansion);
  await rig.editRegistry(({ storage }) => ({
    storage: { ...storage, size: "20Gi", storageClassName: "standard" },
  }));
  await rig.startPod("pod-1");
  await tell(rig, { capacity: { storage: "20Gi" } });
  expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  return rig;
}

const grow = (rig: Rig, size: string): Promise<void> =>
  rig.editRegistry(({ storage }) => ({ storage: { ...storage, size } }));

describe("a larger size", () => {
  it("lets the volume grow in place, and the registry store more once it has grown", async () => {
    const rig = await running(true);
    const { generation } = (await rig.get(DeploymentKind, edge.name)).metadata;
    await grow(rig, "30Gi");
    const claim = await rig.get(PersistentVolumeClaimKind, own);
    expect(claim.spec.resources).toEqual({ requests: { storage: "30Gi" } });
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "False", reason: "VolumeResizing" });
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });
    expect(await quota(rig)).toBe(20 * gibibyte);

    await tell(rig, { capacity: { storage: "30Gi" } });
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True", reason: "VolumeBound" });
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
    expect(await quota(rig)).toBe(30 * gibibyte);
    expect((await rig.get(DeploymentKind, edge.name)).metadata.generation).toBe(generation);
  });

  it("is not asked of a storage class that lets nothing grow, until it does", async () => {
    const rig = await running(false);
    await grow(rig, "30Gi");
    expect(await rig.condition("StorageReady")).toMatchObject({
      status: "False",
      reason: "VolumeNotExpandable",
      message: expect.stringContaining(
        "smaller than 30Gi, and its storage class lets no volume grow.",
      ) as string,
    });
    expect((await rig.get(PersistentVolumeClaimKind, own)).spec.resources).toEqual({
      requests: { storage: "20Gi" },
    });
    expect(await quota(rig)).toBe(20 * gibibyte);
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });

    storageClass(rig, "standard", true);
    await rig.advance(Duration.fromObject({ seconds: 61 }));
    expect(await rig.condition("StorageReady")).toMatchObject({ reason: "VolumeResizing" });
  });

  it("that the storage system gives up is told", async () => {
    const rig = await running(true);
    await grow(rig, "30Gi");
    await tell(rig, {
      capacity: { storage: "20Gi" },
      allocatedResourceStatuses: { storage: "ControllerResizeInfeasible" },
    });
    expect(await rig.condition("StorageReady")).toMatchObject({
      status: "False",
      reason: "VolumeResizeFailed",
    });
    expect(await rig.condition("Stalled")).toMatchObject({ status: "True" });
    expect(await quota(rig)).toBe(20 * gibibyte);
  });

  it("that is refused for another reason leaves the registry as it is", async () => {
    let refuse = false;
    const rig = await Rig.running((cluster) =>
      faulty(cluster, {
        apply: async (kind, object) => {
          if (refuse && kind.kind === "PersistentVolumeClaim") throw new RejectedError(403, "exceeded quota");
          return cluster.apply(kind, object);
        },
      }),
    );
    refuse = true;
    await rig.cluster.delete(DeploymentKind, edge);
    await rig.editRegistry(({ storage }) => ({ storage: { ...storage, retainOnDelete: true } }));
    expect(await rig.condition("Stalled")).toMatchObject({ status: "True", reason: "Rejected" });
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
    expect(await rig.get(DeploymentKind, edge.name)).toBeDefined();
  });
});

describe("a volume that was left behind", () => {
  const leaveBehind = async (spec: Partial<PersistentVolumeClaim["spec"]>): Promise<Rig> => {
    const rig = await Rig.withSamples();
    await rig.editRegistry(({ storage }) => ({
      storage: { ...storage, retainOnDelete: true, size: "20Gi" },
    }));
    await rig.cluster.delete(ConnectedRegistryKind, edge);
    await rig.settle();
    const claim = await rig.get(PersistentVolumeClaimKind, own);
    rig.cluster.put(PersistentVolumeClaimKind, { ...claim, spec: { ...claim.spec, ...spec } });
    return rig;
  };
  const again = async (
    rig: Rig,
    storage: Partial<ConnectedRegistry["spec"]["storage"]>,
    loginServer?: string,
  ): Promise<void> => {
    const fresh = await Rig.withSamples();
    const { spec } = await fresh.registry();
    const { apiVersion, kind } = ConnectedRegistryKind;
    const { registry } = spec.parent!;
    const parent = { registry: { ...registry, ...(loginServer === undefined ? {} : { loginServer }) } };
    const made = { ...spec, parent, storage: { ...spec.storage, ...storage } };
    rig.user({ apiVersion, kind, metadata: edge, spec: made } as ConnectedRegistry);
    await rig.settle();
  };
  const ownerOf = async (rig: Rig): Promise<unknown> => {
    const { annotations } = (await rig.get(PersistentVolumeClaimKind, own)).metadata;
    return JSON.parse(annotations?.["connectedregistry.io/registry"] ?? "");
  };

  it("is taken over as large as it is, and filled as far as the spec says", async () => {
    const rig = await leaveBehind({ resources: { requests: { storage: "100Gi" } } });
    await again(rig, { size: "30Gi" });
    const claim = await rig.get(PersistentVolumeClaimKind, own);
    expect(claim.spec.resources).toEqual({ requests: { storage: "100Gi" } });
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
    expect(await quota(rig)).toBe(30 * gibibyte);
  });

  it("by a registry with another parent is left alone, until somebody wants it taken over", async () => {
    const rig = await leaveBehind({});
    const { uid } = (await ownerOf(rig)) as { readonly uid: string };
    await again(rig, { size: "20Gi" }, "other.example");
    expect(await rig.condition("StorageReady")).toMatchObject({
      status: "False",
      reason: "VolumeOfAnother",
      message: expect.stringContaining(`https://registry.contoso.example:5000 (uid ${uid})`) as string,
    });
    expect(await rig.cluster.get(DeploymentKind, edge)).toBeUndefined();
    expect(await ownerOf(rig)).toMatchObject({ uid });

    const registry = await rig.registry();
    const annotations = { "connectedregistry.io/take-over-volume": uid };
    rig.user({ ...registry, metadata: { ...registry.metadata, annotations } });
    await rig.settle();
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
    expect(await ownerOf(rig)).toEqual({ uid: registry.metadata.uid, parent: "https://other.example" });
  });

  it("is that of a registry that lives, whatever its parent becomes", async () => {
    const rig = await Rig.running();
    const { uid } = (await rig.registry()).metadata;
    await rig.editRegistry(({ parent }) => ({
      parent: { registry: { ...parent?.registry, loginServer: "other.example" } },
    }));
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
    expect(await ownerOf(rig)).toEqual({ uid, parent: "https://other.example" });
  });

  it("of another storage class is left alone, and no pod is started on it", async () => {
    const rig = await leaveBehind({ storageClassName: "slow" });
    await again(rig, { storageClassName: "fast" });
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "False", reason: "VolumeDiffers" });
    expect((await rig.get(PersistentVolumeClaimKind, own)).spec.storageClassName).toBe("slow");
    expect(await rig.cluster.get(DeploymentKind, edge)).toBeUndefined();
  });
});

describe("an existing claim", () => {
  const claim = (spec: object = {}): PersistentVolumeClaim => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "of-mine", namespace: "edge" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } }, ...spec },
    status: { phase: "Bound", capacity: { storage: "10Gi" } },
  });
  const naming = async (...claims: readonly PersistentVolumeClaim[]): Promise<Rig> => {
    const rig = await Rig.withSamples();
    for (const each of claims) rig.cluster.put(PersistentVolumeClaimKind, each);
    await rig.editRegistry(() => ({ storage: { size: "500Gi", existingClaim: "of-mine" } }));
    return rig;
  };

  it("is used, and neither changed nor made a part of the registry", async () => {
    const rig = await naming(claim());
    await rig.startPod("pod-1");
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
    expect(await rig.get(PersistentVolumeClaimKind, "of-mine")).toMatchObject(claim());
    expect((await rig.get(PersistentVolumeClaimKind, "of-mine")).metadata.labels).toBeUndefined();
    expect(JSON.stringify((await rig.get(DeploymentKind, edge.name)).spec)).toContain(
      '"persistentVolumeClaim":{"claimName":"of-mine"}',
    );
    expect(await quota(rig)).toBe(10 * gibibyte);
  });

  it("that somebody makes larger is found so within ten minutes, though nothing tells", async () => {
    const rig = await naming(claim());
    await rig.startPod("pod-1");
    rig.cluster.put(PersistentVolumeClaimKind, {
      ...claim(),
      status: { phase: "Bound", capacity: { storage: "40Gi" } },
    });
    await rig.settle();
    for (let second = 0; second <= 660; second += 15) {
      await rig.beat("pod-1");
      await rig.advance(Duration.fromObject({ seconds: 15 }));
    }
    expect(await quota(rig)).toBe(40 * gibibyte);
  });

  it("is waited for", async () => {
    const rig = await naming();
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "False", reason: "ClaimNotFound" });
    expect(await rig.condition("Stalled")).toMatchObject({ status: "False" });
    expect(await rig.cluster.get(DeploymentKind, edge)).toBeUndefined();
    rig.cluster.put(PersistentVolumeClaimKind, claim());
    await rig.advance(Duration.fromObject({ seconds: 6 }));
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
    expect(await rig.get(DeploymentKind, edge.name)).toBeDefined();
  });

  it("S46: is not looked for in other namespaces", async () => {
    const elsewhere = { ...claim(), metadata: { name: "of-mine", namespace: "elsewhere" } };
    const rig = await naming(elsewhere);
    expect(await rig.condition("StorageReady")).toMatchObject({ reason: "ClaimNotFound" });
  });

  it.each([
    { spec: { volumeMode: "Block" }, says: "is for a device without a file system" },
    { spec: { accessModes: ["ReadOnlyMany"] }, says: "can only be read" },
  ])("that $says is refused", async ({ spec, says }) => {
    const rig = await naming(claim(spec));
    expect(await rig.condition("StorageReady")).toMatchObject({
      status: "False",
      reason: "ClaimUnsuitable",
      message: expect.stringContaining(says) as string,
    });
    expect(await rig.cluster.get(DeploymentKind, edge)).toBeUndefined();
  });

  it("is for the oldest of those that name it, and for the next when that goes", async () => {
    const rig = await naming(claim());
    const { spec } = await rig.registry();
    await rig.clock.advance(Duration.fromObject({ seconds: 1 }));
    const { apiVersion, kind } = ConnectedRegistryKind;
    const second = { ...edge, name: "a-second" };
    rig.user({ apiVersion, kind, metadata: second, spec } as ConnectedRegistry);
    await rig.settle();
    const storageOf = async (name: string) =>
      (await rig.get(ConnectedRegistryKind, name)).status?.conditions?.find(
        ({ type }) => type === "StorageReady",
      );
    expect(await storageOf(edge.name)).toMatchObject({ status: "True" });
    expect(await storageOf("a-second")).toMatchObject({
      status: "False",
      reason: "ClaimShared",
      message: expect.stringContaining('in use by the ConnectedRegistry "contoso-edge"') as string,
    });
    expect(await rig.cluster.get(DeploymentKind, second)).toBeUndefined();

    await rig.cluster.delete(ConnectedRegistryKind, edge);
    await rig.settle();
    expect(await storageOf("a-second")).toMatchObject({ status: "True" });
    expect(await rig.cluster.get(DeploymentKind, second)).toBeDefined();
  });
});
