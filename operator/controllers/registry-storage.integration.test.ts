import { parseSettings } from "../../common/contract/config.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  PersistentVolumeClaimKind,
  SecretKind,
  StorageClassKind,
  type PersistentVolumeClaim,
} from "../api/kubernetes.ts";
import { RestClient } from "../runtime/rest-client.ts";
import { expectSound } from "../status/sound.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const gibibyte = 2 ** 30;
let operator: RealOperator;
let user: RestClient;

beforeAll(async () => {
  operator = await startRealOperator();
  ({ user } = operator);
  await operator.namespace("edge");
  for (const [name, allowVolumeExpansion] of [["growing", true] as const, ["rigid", false] as const]) {
    await user.apply(StorageClassKind, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name },
      provisioner: "example.io/none",
      allowVolumeExpansion,
    } as never);
  }
}, 120_000);

afterAll(() => operator.stop());

/** What a user applies: a root registry. */
async function apply(name: string, storage: Partial<ConnectedRegistry["spec"]["storage"]>): Promise<void> {
  await user.apply(ConnectedRegistryKind, {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ConnectedRegistry",
    metadata: { name, namespace: "edge" },
    spec: { storage },
  } as unknown as ConnectedRegistry);
}

async function storageIs(name: string, reason: string): Promise<string> {
  return eventually(`${name} with ${reason}`, 20_000, async () => {
    const { status } = (await user.get(ConnectedRegistryKind, { namespace: "edge", name })) ?? {};
    const found = status?.conditions?.find(({ type }) => type === "StorageReady");
    if (found?.reason !== reason) throw new Error(JSON.stringify(status?.conditions));
    expectSound(status);
    return found.message;
  });
}

async function claim(name: string): Promise<PersistentVolumeClaim> {
  return eventually(`the claim ${name}`, 20_000, () =>
    user.get(PersistentVolumeClaimKind, { namespace: "edge", name }),
  );
}

/** What the volume controller, or a driver of the storage system, says. */
async function tell(name: string, status: PersistentVolumeClaim["status"]): Promise<void> {
  const key = { namespace: "edge", name };
  await claim(name);
  await user.applyStatus(PersistentVolumeClaimKind, key, { phase: "Bound", ...status });
}

async function quotaIs(name: string, bytes: number): Promise<void> {
  await eventually(`${name} with ${bytes} bytes`, 20_000, async () => {
    const secret = await user.get(SecretKind, { namespace: "edge", name: `${name}-config` });
    const text = Buffer.from(secret?.data?.["settings.json"] ?? "", "base64").toString();
    return parseSettings(JSON.parse(text)).storageQuotaBytes === bytes ? true : undefined;
  });
}

async function make(name: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}): Promise<void> {
  await user.apply(PersistentVolumeClaimKind, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "edge" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "growing",
      resources: { requests: { storage: "10Gi" } },
      ...spec,
    },
  });
}

describe("the volume of a registry on a real API server", () => {
  it("grows in place where its storage class lets it", async () => {
    await apply("growing", { size: "20Gi", storageClassName: "growing" });
    await storageIs("growing", "VolumePending");
    // The API server takes no growth of what is not bound: it waits for that.
    await apply("growing", { size: "25Gi", storageClassName: "growing" });
    await tell("growing-data", { capacity: { storage: "20Gi" } });
    await storageIs("growing", "VolumeResizing");
    expect((await claim("growing-data")).spec.resources?.requests).toEqual({ storage: "25Gi" });
    await quotaIs("growing", 20 * gibibyte);

    await tell("growing-data", { capacity: { storage: "25Gi" } });
    await storageIs("growing", "VolumeBound");
    await quotaIs("growing", 25 * gibibyte);
  });

  it("says that its storage class lets it not, and grows once it does", async () => {
    await apply("rigid", { size: "20Gi", storageClassName: "rigid" });
    await tell("rigid-data", { capacity: { storage: "20Gi" } });
    await storageIs("rigid", "VolumeBound");
    await apply("rigid", { size: "30Gi", storageClassName: "rigid" });
    expect(await storageIs("rigid", "VolumeNotExpandable")).toContain("smaller than 30Gi");
    expect((await claim("rigid-data")).spec.resources?.requests).toEqual({ storage: "20Gi" });
    await user.apply(StorageClassKind, {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "rigid" },
      provisioner: "example.io/none",
      allowVolumeExpansion: true,
    } as never);
    // Any change of the spec has it look again at once.
    await apply("rigid", { size: "31Gi", storageClassName: "rigid" });
    await storageIs("rigid", "VolumeResizing");
  });

  it("says that the storage system gives up", async () => {
    await apply("hopeless", { size: "20Gi", storageClassName: "growing" });
    await tell("hopeless-data", { capacity: { storage: "20Gi" } });
    await storageIs("hopeless", "VolumeBound");
    await apply("hopeless", { size: "40Gi", storageClassName: "growing" });
    await storageIs("hopeless", "VolumeResizing");
    await tell("hopeless-data", {
      capacity: { storage: "20Gi" },
      allocatedResourceStatuses: { storage: "ControllerResizeInfeasible" },
    });
    expect(await storageIs("hopeless", "VolumeResizeFailed")).toContain("cannot grow as far as it should");
  });

  it("is taken over from a predecessor, as large as it is", async () => {
    const labels = {
      "app.kubernetes.io/name": "connected-registry",
      "app.kubernetes.io/instance": "heir-of-much",
      "app.kubernetes.io/managed-by": "connected-registry-operator",
    };
    await make("heir-of-much-data", { resources: { requests: { storage: "100Gi" } } });
    await user.apply(PersistentVolumeClaimKind, {
      ...(await claim("heir-of-much-data")),
      metadata: { name: "heir-of-much-data", namespace: "edge", labels },
    });
    await tell("heir-of-much-data", { capacity: { storage: "100Gi" } });
    await apply("heir-of-much", { size: "20Gi" });
    await storageIs("heir-of-much", "VolumeBound");
    expect((await claim("heir-of-much-data")).spec).toMatchObject({
      storageClassName: "growing",
      resources: { requests: { storage: "100Gi" } },
    });
    await quotaIs("heir-of-much", 20 * gibibyte);
  });
});

describe("a volume that was left behind on a real API server", () => {
  const apply = async (loginServer: string, annotations: Readonly<Record<string, string>> = {}) => {
    await user.apply(ConnectedRegistryKind, {
      apiVersion: "connectedregistry.io/v1alpha1",
      kind: "ConnectedRegistry",
      metadata: { name: "left-behind", namespace: "edge", annotations },
      spec: {
        parent: { registry: { loginServer } },
        storage: { size: "20Gi", storageClassName: "growing", retainOnDelete: true },
      },
    } as unknown as ConnectedRegistry);
  };

  it("is taken over by a registry of the same parent, and by another only if somebody wants it", async () => {
    await apply("a.example");
    await tell("left-behind-data", { capacity: { storage: "20Gi" } });
    await storageIs("left-behind", "VolumeBound");
    const key = { namespace: "edge", name: "left-behind" };
    const gone = async (): Promise<void> => {
      await user.delete(ConnectedRegistryKind, key);
      await eventually("the registry gone", 10_000, async () =>
        (await user.get(ConnectedRegistryKind, key)) === undefined ? true : undefined,
      );
    };
    await gone();
    await apply("a.example");
    await storageIs("left-behind", "VolumeBound");
    const { uid = "" } = (await user.get(ConnectedRegistryKind, key))?.metadata ?? {};
    await gone();
    await apply("b.example");
    expect(await storageIs("left-behind", "VolumeOfAnother")).toContain(`https://a.example (uid ${uid})`);
    await apply("b.example", { "connectedregistry.io/take-over-volume": uid });
    await storageIs("left-behind", "VolumeBound");
  });
});

describe("an existing claim on a real API server", () => {
  it("is waited for, used and never touched", async () => {
    await apply("a-guest", { existingClaim: "of-mine" });
    await storageIs("a-guest", "ClaimNotFound");
    await make("of-mine");
    await storageIs("a-guest", "VolumePending");
    await tell("of-mine", { capacity: { storage: "10Gi" } });
    await storageIs("a-guest", "VolumeBound");
    const { metadata } = await claim("of-mine");
    expect(metadata.ownerReferences).toBeUndefined();
    expect(metadata.labels).toBeUndefined();
    await quotaIs("a-guest", 10 * gibibyte);
    const deployment = await user.get(DeploymentKind, { namespace: "edge", name: "a-guest" });
    expect(JSON.stringify(deployment?.spec)).toContain('"claimName":"of-mine"');
    expect(
      await user.get(PersistentVolumeClaimKind, { namespace: "edge", name: "a-guest-data" }),
    ).toBeUndefined();
  });

  it("is for one registry", async () => {
    await make("wanted-by-two");
    await tell("wanted-by-two", { capacity: { storage: "10Gi" } });
    await apply("first-of-two", { existingClaim: "wanted-by-two" });
    await storageIs("first-of-two", "VolumeBound");
    await apply("second-of-two", { existingClaim: "wanted-by-two" });
    expect(await storageIs("second-of-two", "ClaimShared")).toContain('"first-of-two"');
    expect(await user.get(DeploymentKind, { namespace: "edge", name: "second-of-two" })).toBeUndefined();
    await user.delete(ConnectedRegistryKind, { namespace: "edge", name: "first-of-two" });
    await storageIs("second-of-two", "VolumeBound");
  });

  it("without a file system is refused", async () => {
    await make("a-device", { volumeMode: "Block" });
    await apply("on-a-device", { existingClaim: "a-device" });
    expect(await storageIs("on-a-device", "ClaimUnsuitable")).toContain("without a file system");
  });
});
