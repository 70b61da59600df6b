import { randomBytes, randomUUID } from "node:crypto";
import { seconds, systemClock } from "../../common/clock.ts";
import { samples } from "../../crds/testing/samples.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  ConfigMapKind,
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  PodKind,
  RoleBindingKind,
  RoleKind,
  SecretKind,
  ServiceAccountKind,
  ServiceKind,
  type Deployment,
  type PersistentVolumeClaim,
} from "../api/kubernetes.ts";
import { encode } from "../resources/secret-data.ts";
import type { Kind, KubeObject } from "../runtime/kube.ts";
import type { RestClient } from "../runtime/rest-client.ts";
import { expectSound } from "../status/sound.ts";
import { ourKinds, startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const edge = { namespace: "edge", name: "contoso-edge" };
const made: readonly Kind<KubeObject>[] = [
  DeploymentKind,
  ServiceKind,
  ServiceAccountKind,
  RoleKind,
  RoleBindingKind,
  PersistentVolumeClaimKind,
  LeaseKind,
  SecretKind,
];

let operator: RealOperator;
let user: RestClient;
let pod: RestClient;

beforeAll(async () => {
  operator = await startRealOperator();
  ({ user, pod } = operator);
  await operator.namespace("edge");
}, 120_000);

afterAll(() => operator.stop());

async function registry(): Promise<ConnectedRegistry | undefined> {
  return user.get(ConnectedRegistryKind, edge);
}

async function conditionIs(type: string, reason: string): Promise<void> {
  await eventually(`${type} with ${reason}`, 20_000, async () => {
    const { conditions } = (await registry())?.status ?? {};
    const found = conditions?.find((one) => one.type === type);
    if (found?.reason !== reason) throw new Error(JSON.stringify(conditions));
    return found;
  });
}

async function putSecret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  await user.apply(SecretKind, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "edge" },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
  });
}

/** What the kubelet, the scheduler and the controllers of Kubernetes would do: none of them runs here. */
async function run(): Promise<void> {
  const claim = { namespace: "edge", name: "contoso-edge-data" };
  await user.applyStatus<PersistentVolumeClaim>(PersistentVolumeClaimKind, claim, { phase: "Bound" });
  const deployment = await user.get(DeploymentKind, edge);
  const { template } = deployment?.spec as { template: Pick<KubeObject, "metadata"> };
  const metadata = { ...template.metadata, ...edge, name: "pod-1" };
  await user.apply(PodKind, { ...template, apiVersion: "v1", kind: "Pod", metadata });
  await user.applyStatus<Deployment>(DeploymentKind, edge, {
    observedGeneration: deployment?.metadata.generation ?? 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  });
}

async function beat(): Promise<void> {
  await pod.apply(LeaseKind, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: edge,
    spec: {
      holderIdentity: "pod-1",
      leaseDurationSeconds: 20,
      renewTime: systemClock.now().toISO().replace("Z", "000Z"),
    },
  });
}

describe("on a real API server", () => {
  it("says what is missing, and makes everything once it is there", async () => {
    for (const sample of samples.slice(1)) {
      const kind = ourKinds.find((one) => one.kind === sample.kind);
      if (kind !== undefined) await user.apply(kind, sample);
    }
    await conditionIs("ParentConfigured", "ParentCaNotFound");
    await putSecret("contoso-parent", { username: "edge", password: "secret" });
    const { issueCa } = await import("../resources/certificates.ts");
    const { certificate } = await issueCa("Contoso", systemClock.now(), randomBytes);
    await putSecret("contoso-parent-ca", { "ca.crt": certificate });
    await conditionIs("ParentConfigured", "Configured");
    await conditionIs("StorageReady", "NoStorageClass");
    await run();
    await conditionIs("Available", "Starting");
    await beat();
    await pod.applyStatus(ConnectedRegistryKind, edge, {
      connectionState: "Online",
      version: "0.1.0",
      statusDetails: [],
    });
    await conditionIs("Ready", "Ready");
    const { status } = (await registry()) ?? {};
    expectSound(status);
    expect(status).toMatchObject({ connectionState: "Online", activation: { instance: "pod-1" } });
  });

  it("reports every object of ours soundly", async () => {
    for (const kind of ourKinds) {
      for (const object of await user.list(kind, "edge")) {
        expectSound((object as ConnectedRegistry).status);
      }
    }
  });

  it("tells nodes whom to trust", async () => {
    const key = { namespace: "operator", name: "connected-registry-node-trust" };
    // Changes that come one after the other are written together.
    const data = await eventually("an entry", 20_000, async () => {
      const trust = await user.get(ConfigMapKind, key);
      return trust?.data;
    });
    expect(Object.keys(data)).toEqual(["edge.contoso-edge"]);
  });

  it("writes nothing when nothing changed, whatever the API server filled in", async () => {
    await beat();
    await systemClock.sleep(seconds(1));
    const versions = async (): Promise<readonly (string | undefined)[]> => {
      const lists = await Promise.all(
        made.filter((kind) => kind !== LeaseKind).map((kind) => user.list(kind, "edge")),
      );
      return lists.flat().map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion ?? ""}`);
    };
    const before = await versions();
    operator.writes.length = 0;
    // Something that concerns every controller, and asks none of them for anything.
    const unrelated = { "example.com/seen": randomUUID() };
    for (const kind of ourKinds) {
      for (const { metadata } of await user.list(kind, "edge")) {
        await operator.as("a-user").apply(kind, {
          apiVersion: kind.apiVersion,
          kind: kind.kind,
          metadata: { name: metadata.name, namespace: "edge", annotations: unrelated },
        });
      }
    }
    await systemClock.sleep(seconds(2));
    expect(operator.writes).toEqual([]);
    expect(await versions()).toEqual(before);
  });

  it.each([
    { verb: "get", resource: "secrets", name: "contoso-edge-config", allowed: true },
    { verb: "watch", resource: "secrets", name: "contoso-edge-token-edge-puller", allowed: true },
    { verb: "get", resource: "secrets", name: "contoso-edge-ca", allowed: false },
    { verb: "get", resource: "secrets", name: "edge-puller-credentials", allowed: false },
    { verb: "get", resource: "secrets", name: "contoso-parent", allowed: false },
    { verb: "list", resource: "secrets", name: "", allowed: false },
    {
      verb: "patch",
      group: "connectedregistry.io",
      resource: "connectedregistries",
      sub: "status",
      name: "contoso-edge",
      allowed: true,
    },
    {
      verb: "patch",
      group: "connectedregistry.io",
      resource: "connectedregistries",
      name: "contoso-edge",
      allowed: false,
    },
    {
      verb: "patch",
      group: "connectedregistry.io",
      resource: "connectedregistries",
      sub: "status",
      name: "other",
      allowed: false,
    },
    { verb: "patch", group: "coordination.k8s.io", resource: "leases", name: "contoso-edge", allowed: true },
    { verb: "create", group: "coordination.k8s.io", resource: "leases", name: "", allowed: false },
  ])(
    "lets the pod $verb $resource/$name: $allowed",
    async ({ verb, group = "", resource, sub = "", name, allowed }) => {
      const review = await user.create(SubjectAccessReviewKind, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        metadata: { name: "" },
        spec: {
          user: "system:serviceaccount:edge:contoso-edge",
          resourceAttributes: { namespace: "edge", verb, group, resource, subresource: sub, name },
        },
      });
      expect(review?.status?.allowed).toBe(allowed);
    },
  );

  it("takes the word from a registry whose pod is gone", async () => {
    await user.delete(PodKind, { ...edge, name: "pod-1" });
    const deployment = await user.get(DeploymentKind, edge);
    await user.applyStatus<Deployment>(DeploymentKind, edge, {
      observedGeneration: deployment?.metadata.generation ?? 1,
    });
    await eventually("Offline", 20_000, async () =>
      (await registry())?.status?.connectionState === "Offline" ? true : undefined,
    );
    expectSound((await registry())?.status);
  });

  it("takes a claim's owner away when it is to stay, and gives it one when not", async () => {
    const owners = async (): Promise<number> =>
      (await user.get(PersistentVolumeClaimKind, { namespace: "edge", name: "contoso-edge-data" }))?.metadata
        .ownerReferences?.length ?? 0;
    const sample = samples.find(({ kind }) => kind === "ConnectedRegistry") as ConnectedRegistry;
    const retain = async (retainOnDelete: boolean): Promise<void> => {
      const storage = { ...sample.spec.storage, retainOnDelete };
      await user.apply(ConnectedRegistryKind, { ...sample, spec: { ...sample.spec, storage } });
    };
    expect(await owners()).toBe(1);
    await retain(true);
    await eventually("no owner", 10_000, async () => ((await owners()) === 0 ? true : undefined));
    await retain(false);
    await eventually("an owner", 10_000, async () => ((await owners()) === 1 ? true : undefined));
  });

  it("tells in the API server's words what it refuses", async () => {
    const sample = samples.find(({ kind }) => kind === "ConnectedRegistry") as ConnectedRegistry;
    await user.apply(ConnectedRegistryKind, {
      ...sample,
      metadata: { name: "wrong-address", namespace: "edge" },
      spec: { ...sample.spec, service: { type: "ClusterIP", clusterIP: "192.0.2.1" } },
    });
    const found = await eventually("the refusal", 20_000, async () => {
      const { status } =
        (await user.get(ConnectedRegistryKind, { namespace: "edge", name: "wrong-address" })) ?? {};
      return status?.conditions?.find(({ type, reason }) => type === "Stalled" && reason === "Rejected");
    });
    expect(found.message).toContain('The API server refuses the Service "wrong-address"');
    expect(found.message).toContain("192.0.2.1");
  });
});

interface SubjectAccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed: boolean };
}

const SubjectAccessReviewKind: Kind<SubjectAccessReview> = {
  apiVersion: "authorization.k8s.io/v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  namespaced: false,
};
