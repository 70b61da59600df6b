import { Duration } from "luxon";
import {
  DeploymentKind,
  PersistentVolumeClaimKind,
  PodKind,
  SecretKind,
  ServiceKind,
} from "../api/kubernetes.ts";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind } from "../api/connectedregistry.gen.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { parseSettings } from "../../common/contract/config.ts";
import { endingText } from "../../common/contract/ending.ts";
import { labelsOf } from "../resources/names.ts";
import { encode } from "../resources/secret-data.ts";
import { RejectedError, type KubeClient } from "../runtime/kube.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { edge, Rig } from "./testing/rig.ts";

interface Fault {
  readonly fault: string;
  readonly arrange: (rig: Rig) => Promise<void> | void;
  readonly condition: string;
  readonly reason: string;
  /** Whether only a person can help. */
  readonly stalled: boolean;
  /** Part of what the user reads. */
  readonly says: string;
}

const dockerConfig = (auths: object): string => JSON.stringify({ auths });

async function drop(rig: Rig, name: string): Promise<void> {
  await rig.cluster.delete(SecretKind, { namespace: "edge", name });
}

async function editPolicy(rig: Rig, change: object): Promise<void> {
  const policy = await rig.get(SyncPolicyKind, "contoso");
  rig.user({ ...policy, spec: { ...policy.spec, ...change } } as typeof policy);
}

/** A pod of the registry, not ready, whose container is in `state`. */
async function pod(rig: Rig, status: object): Promise<void> {
  await rig.settle();
  const metadata = { name: "pod-1", namespace: "edge", labels: labelsOf(edge.name) };
  rig.cluster.put(PodKind, { apiVersion: "v1", kind: "Pod", metadata, status });
  await rig.deploymentStatus(0);
}

const waitingFor = (reason: string, message = ""): object => ({
  phase: "Pending",
  containerStatuses: [
    { name: "registry", image: "registry.example/x:1", state: { waiting: { reason, message } } },
  ],
});

/** A container that left `message` when it ended, and is about to be started again. */
const endedWith = (message: string): object => ({
  phase: "Running",
  containerStatuses: [
    {
      name: "registry",
      image: "x",
      ready: false,
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 1, reason: "Error", message } },
    },
  ],
});

const faults: readonly Fault[] = [
  {
    fault: "the Secret with the parent's credentials does not exist",
    arrange: (rig) => drop(rig, "contoso-parent"),
    condition: "ParentConfigured",
    reason: "ParentSecretNotFound",
    stalled: false,
    says: 'There is no Secret "contoso-parent"',
  },
  {
    fault: "S46: it exists in another namespace only",
    arrange: async (rig) => {
      await drop(rig, "contoso-parent");
      rig.putSecret("contoso-parent", { username: "a", password: "b" }, "elsewhere");
    },
    condition: "ParentConfigured",
    reason: "ParentSecretNotFound",
    stalled: false,
    says: "in this namespace",
  },
  {
    fault: "it has no password",
    arrange: (rig) => {
      rig.putSecret("contoso-parent", { username: "edge" });
    },
    condition: "ParentConfigured",
    reason: "ParentSecretInvalid",
    stalled: true,
    says: 'The key "password" of the Secret "contoso-parent" is missing or empty.',
  },
  {
    fault: "it is a docker configuration for another registry",
    arrange: (rig) => {
      const auths = { "other.example": { auth: encode("a:b") } };
      rig.putSecret("contoso-parent", { ".dockerconfigjson": dockerConfig(auths) });
    },
    condition: "ParentConfigured",
    reason: "ParentSecretInvalid",
    stalled: true,
    says: "registry.contoso.example:5000",
  },
  {
    fault: "the Secret with the parent's authority does not exist",
    arrange: (rig) => drop(rig, "contoso-parent-ca"),
    condition: "ParentConfigured",
    reason: "ParentCaNotFound",
    stalled: false,
    says: "contoso-parent-ca",
  },
  {
    fault: "it lacks the key",
    arrange: (rig) => {
      rig.putSecret("contoso-parent-ca", { "tls.crt": "x" });
    },
    condition: "ParentConfigured",
    reason: "ParentCaInvalid",
    stalled: true,
    says: 'has no key "ca.crt"',
  },
  {
    fault: "it holds something else",
    arrange: (rig) => {
      rig.putSecret("contoso-parent-ca", { "ca.crt": "-----BEGIN CERTIFICATE-----\nnonsense" });
    },
    condition: "ParentConfigured",
    reason: "ParentCaInvalid",
    stalled: true,
    says: "holds no certificate",
  },
  {
    fault: "the SyncPolicy does not exist",
    arrange: (rig) => rig.cluster.delete(SyncPolicyKind, { namespace: "edge", name: "contoso" }),
    condition: "SyncConfigured",
    reason: "SyncPolicyNotFound",
    stalled: false,
    says: 'There is no SyncPolicy "contoso"',
  },
  {
    fault: "its schedule cannot be read",
    arrange: (rig) => editPolicy(rig, { schedule: "0 25 * * *" }),
    condition: "SyncConfigured",
    reason: "SyncPolicyInvalid",
    stalled: true,
    says: 'The schedule "0 25 * * *" cannot be read.',
  },
  {
    fault: "the schedule of the registry itself cannot be read",
    arrange: (rig) => rig.editRegistry(() => ({ sync: { schedule: "0 25 * * *" } })),
    condition: "SyncConfigured",
    reason: "SyncPolicyInvalid",
    stalled: true,
    says: "with spec.sync of this registry",
  },
  {
    fault: "the schedule of its garbage collection cannot be read",
    arrange: (rig) =>
      rig.editRegistry(({ garbageCollection }) => ({
        garbageCollection: { ...garbageCollection, schedule: "0 25 * * *" },
      })),
    condition: "StorageReady",
    reason: "ContentRulesInvalid",
    stalled: true,
    says: "spec.garbageCollection",
  },
  {
    fault: "its time zone does not exist",
    arrange: (rig) => editPolicy(rig, { timeZone: "Europe/Bielefeld" }),
    condition: "SyncConfigured",
    reason: "SyncPolicyInvalid",
    stalled: true,
    says: "Europe/Bielefeld",
  },
  {
    fault: "a ClientToken does not exist",
    arrange: (rig) => rig.cluster.delete(ClientTokenKind, { namespace: "edge", name: "edge-puller" }),
    condition: "ClientTokensReady",
    reason: "ClientTokenNotFound",
    stalled: false,
    says: '"edge-puller"',
  },
  {
    fault: "the claim is pending",
    arrange: (rig) => {
      rig.bindsClaims = false;
      rig.storageClass("standard", true);
    },
    condition: "StorageReady",
    reason: "VolumePending",
    stalled: false,
    says: "kubectl describe pvc --namespace edge.",
  },
  {
    fault: "there is no storage class to make a volume",
    arrange: (rig) => {
      rig.bindsClaims = false;
      rig.storageClass("slow", false);
    },
    condition: "StorageReady",
    reason: "NoStorageClass",
    stalled: false,
    says: "spec.storage.storageClassName",
  },
  {
    fault: "the storage class does not exist",
    arrange: async (rig) => {
      rig.bindsClaims = false;
      rig.storageClass("standard", true);
      await rig.editRegistry(({ storage }) => ({ storage: { ...storage, storageClassName: "fast" } }));
    },
    condition: "StorageReady",
    reason: "StorageClassNotFound",
    stalled: false,
    says: 'no storage class "fast"',
  },
  {
    fault: "the volume was lost",
    arrange: async (rig) => {
      await rig.settle();
      const claim = await rig.get(PersistentVolumeClaimKind, "contoso-edge-data");
      rig.bindsClaims = false;
      rig.cluster.put(PersistentVolumeClaimKind, { ...claim, status: { phase: "Lost" } });
    },
    condition: "StorageReady",
    reason: "VolumeLost",
    stalled: true,
    says: "is gone",
  },
  {
    fault: "no node has room",
    arrange: (rig) =>
      pod(rig, {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/1 nodes: Insufficient cpu",
          },
        ],
      }),
    condition: "Available",
    reason: "Unschedulable",
    stalled: false,
    says: "0/1 nodes: Insufficient cpu. Make room",
  },
  ...["ErrImagePull", "ImagePullBackOff", "InvalidImageName"].map((why) => ({
    fault: `the image cannot be pulled (${why})`,
    arrange: (rig: Rig) => pod(rig, waitingFor(why)),
    condition: "Available",
    reason: "ImagePullFailed",
    stalled: false,
    says: "registry.example/x:1",
  })),
  {
    fault: "the container cannot start",
    arrange: (rig) => pod(rig, waitingFor("CreateContainerConfigError", 'secret "x" not found')),
    condition: "Available",
    reason: "PodNotStarting",
    stalled: false,
    says: 'secret "x" not found.',
  },
  {
    fault: "the program ends again and again",
    arrange: (rig) =>
      pod(rig, {
        phase: "Running",
        containerStatuses: [
          {
            name: "registry",
            image: "x",
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { exitCode: 2, reason: "Error" } },
          },
        ],
      }),
    condition: "Available",
    reason: "PodCrashing",
    stalled: false,
    says: "exit code 2",
  },
  {
    fault: "it needs more memory than it may have",
    arrange: (rig) =>
      pod(rig, {
        phase: "Running",
        containerStatuses: [
          { name: "registry", image: "x", state: { terminated: { exitCode: 137, reason: "OOMKilled" } } },
        ],
      }),
    condition: "Available",
    reason: "PodCrashing",
    stalled: false,
    says: "more memory than spec.resources allows",
  },
  ...(
    [
      ["VolumeReadOnly", 'The volume of the PersistentVolumeClaim "contoso-edge-data" is mounted read-only.'],
      ["VolumeForbidden", "Let user 65532 write"],
      ["VolumeUnsuitable", "so that it keeps locks"],
      ["VolumeFull", "Make room, or give it more."],
    ] as const
  ).map(([code, says]) => ({
    fault: `the program ended for its volume (${code})`,
    arrange: (rig: Rig) => pod(rig, endedWith(endingText({ code, message: "x" }))),
    condition: "StorageReady",
    reason: code,
    stalled: true,
    says,
  })),
  {
    fault: "another instance uses the volume",
    arrange: (rig) =>
      pod(rig, endedWith(endingText({ code: "AlreadyActivated", message: "x", holder: "pod-0" }))),
    condition: "Available",
    reason: "AlreadyActivated",
    stalled: false,
    says: 'already activated by another instance, "pod-0": only one is supported at any time. Stop the other',
  },
  {
    fault: "the program cannot use its settings",
    arrange: (rig) => pod(rig, endedWith(endingText({ code: "ConfigurationInvalid", message: "x" }))),
    condition: "Available",
    reason: "ConfigurationInvalid",
    stalled: false,
    says: "should be of one version",
  },
  {
    fault: "the program left something that is not ours",
    arrange: (rig) => pod(rig, endedWith("panic: parent-password")),
    condition: "Available",
    reason: "PodCrashing",
    stalled: false,
    says: "exit code 1. See why",
  },
  {
    fault: "the pod was evicted",
    arrange: (rig) => pod(rig, { phase: "Failed", reason: "Evicted" }),
    condition: "Available",
    reason: "PodNotStarting",
    stalled: false,
    says: "Evicted",
  },
  {
    fault: "a quota forbids the pod",
    arrange: async (rig) => {
      await rig.settle();
      const deployment = await rig.get(DeploymentKind, edge.name);
      const conditions = [
        { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" },
      ];
      rig.cluster.put(DeploymentKind, { ...deployment, status: { conditions } });
    },
    condition: "Available",
    reason: "PodForbidden",
    stalled: false,
    says: "exceeded quota",
  },
  {
    fault: "there is no such PriorityClass",
    arrange: async (rig) => {
      await rig.editRegistry(() => ({ priorityClassName: "edge-critical" }));
    },
    condition: "Ready",
    reason: "PriorityClassNotFound",
    stalled: false,
    says: 'There is no PriorityClass "edge-critical". Create the PriorityClass',
  },
  {
    fault: "a Service of that name is somebody else's",
    arrange: (rig) => {
      rig.cluster.put(ServiceKind, {
        apiVersion: "v1",
        kind: "Service",
        metadata: edge,
        spec: { clusterIP: "10.96.0.77" },
      });
    },
    condition: "Ready",
    reason: "NameTaken",
    stalled: true,
    says: 'The Service "contoso-edge" exists and belongs to somebody else.',
  },
  {
    fault: "an object of a predecessor is still there",
    arrange: (rig) => {
      const owner = {
        apiVersion: ConnectedRegistryKind.apiVersion,
        kind: "ConnectedRegistry",
        name: edge.name,
      };
      rig.cluster.put(ServiceKind, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...edge, ownerReferences: [{ ...owner, uid: "of-a-predecessor", controller: true }] },
        spec: { clusterIP: "10.96.0.77" },
      });
    },
    condition: "Ready",
    reason: "Terminating",
    stalled: false,
    says: "still being deleted",
  },
];

describe("a fault is told by its reason, with the next step:", () => {
  it.each(faults)("$fault", async ({ arrange, condition, reason, stalled, says }) => {
    const rig = await Rig.withSamples();
    await arrange(rig);
    await rig.settle();
    const found = await rig.condition(condition);
    expect(found).toMatchObject({ status: "False", reason });
    expect(found?.message).toContain(says);
    expect(await rig.condition("Ready")).toMatchObject({ status: "False" });
    expect(await rig.condition(stalled ? "Stalled" : "Reconciling")).toMatchObject({ status: "True" });
    expect(rig.failures).toEqual([]);
  });

  it.each(faults)(
    "…and again in the same words, without a write: $fault",
    async ({ arrange, reason, stalled }) => {
      const rig = await Rig.withSamples();
      await arrange(rig);
      await rig.settle();
      const warnings = (): readonly object[] =>
        rig.happenings.filter(({ type, name }) => type === "Warning" && name === edge.name);
      expect(warnings()).toHaveLength(stalled ? 1 : 0);
      await rig.advance(Duration.fromObject({ minutes: 11 }));
      expect(warnings()).toMatchObject([{ reason }]);
      const reconciles = rig.reconciles.get("connectedregistry") ?? 0;
      const [writes, happenings] = [rig.cluster.writes.length, rig.happenings.length];
      await rig.advance(Duration.fromObject({ minutes: 5 }));
      // Looked for once a minute, not every few seconds.
      expect((rig.reconciles.get("connectedregistry") ?? 0) - reconciles).toBeLessThanOrEqual(6);
      expect(rig.cluster.writes.slice(writes)).toEqual([]);
      expect(rig.happenings).toHaveLength(happenings);
    },
  );
});

describe("what the API server refuses", () => {
  const refusing = (cluster: KubeClient) =>
    faulty(cluster, {
      apply: async (kind, object) => {
        if (kind.kind === "Service")
          throw new RejectedError(422, "spec.clusterIP: provided IP is not in the valid range");
        return cluster.apply(kind, object);
      },
    });

  it("is told in its own words, and tried again after a minute", async () => {
    const rig = await Rig.withSamples(refusing);
    await rig.settle();
    expect(await rig.condition("Stalled")).toMatchObject({
      status: "True",
      reason: "Rejected",
      message:
        'The API server refuses the Service "contoso-edge": spec.clusterIP: provided IP is not in the valid range. Correct what the API server objects to.',
    });
    const reconciles = rig.reconciles.get("connectedregistry") ?? 0;
    await rig.advance(Duration.fromObject({ seconds: 61 }));
    expect(rig.reconciles.get("connectedregistry")).toBe(reconciles + 1);
  });
});

describe("a Service that cannot be changed", () => {
  it("keeps nothing back but itself", async () => {
    let refuse = false;
    const rig = await Rig.running((cluster) =>
      faulty(cluster, {
        apply: async (kind, object) => {
          if (refuse && kind.kind === "Service") throw new RejectedError(422, "may not change once set");
          return cluster.apply(kind, object);
        },
      }),
    );
    refuse = true;
    rig.putSecret("contoso-parent", { username: "edge", password: "rotated" });
    await rig.cluster.delete(DeploymentKind, edge);
    await rig.editRegistry(({ service }) => ({ service: { ...service, clusterIP: "10.1.2.3" } }));
    expect(await rig.condition("Stalled")).toMatchObject({ status: "True", reason: "Rejected" });
    expect(await rig.condition("ParentConfigured")).toMatchObject({ status: "True" });
    const { parent } = parseSettings(await rig.json("contoso-edge-config", "settings.json"));
    expect(parent?.credentials?.password).toBe("rotated");
    expect(await rig.get(DeploymentKind, edge.name)).toBeDefined();
  });
});

describe("a fault that comes while the registry runs", () => {
  const settings = async (rig: Rig) => parseSettings(await rig.json("contoso-edge-config", "settings.json"));

  it("leaves the part that it concerns as it was, and the rest takes effect", async () => {
    const rig = await Rig.running();
    const before = await settings(rig);
    await drop(rig, "contoso-parent");
    await rig.editRegistry(() => ({ logging: { logLevel: "Debug", auditLogStatus: "Disabled" } }));
    expect(await settings(rig)).toEqual({ ...before, logLevel: "Debug" });
    expect((await rig.registry()).status?.connectionState).toBe("Online");
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });
  });

  it("T44 is over when the Secret is there again, with what it says now", async () => {
    const rig = await Rig.running();
    await drop(rig, "contoso-parent");
    await rig.settle();
    rig.putSecret("contoso-parent", { username: "edge", password: "rotated" });
    await rig.settle();
    expect((await settings(rig)).parent?.credentials?.password).toBe("rotated");
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("S43 never shows a secret in status or events", async () => {
    const rig = await Rig.running();
    rig.putSecret("contoso-parent", { ".dockerconfigjson": "{ parent-password" });
    await rig.settle();
    const text = JSON.stringify([(await rig.registry()).status, rig.happenings]);
    for (const secret of ["parent-password", await rig.secret("edge-puller-credentials", "password1")]) {
      expect(text).not.toContain(secret);
    }
  });
});
