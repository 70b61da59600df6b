import { X509Certificate } from "node:crypto";
import { Duration } from "luxon";
import { parseClientToken, parseSettings } from "../../common/contract/config.ts";
import { hashPassword } from "../../common/contract/password.ts";
import { ConnectedRegistryKind } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  RoleKind,
  SecretKind,
  ServiceKind,
} from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { ConflictError, type Kind, type KubeObject } from "../runtime/kube.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { ensureEncryption } from "./registry-tls.ts";
import { edge, Rig } from "./testing/rig.ts";

const seconds = (n: number): Duration => Duration.fromObject({ seconds: n });
const minutes = (n: number): Duration => Duration.fromObject({ minutes: n });
const days = (n: number): Duration => Duration.fromObject({ days: n });

describe("a ConnectedRegistry", () => {
  it("gets all that it is made of, and is Ready once its pod is heard", async () => {
    const rig = await Rig.withSamples();
    await rig.settle();
    expect(await rig.condition("Ready")).toMatchObject({ status: "False", reason: "Starting" });
    expect((await rig.registry()).status).toMatchObject({
      connectionState: "Offline",
      activation: { status: "Inactive" },
    });
    await rig.startPod("pod-1");
    expect((await rig.registry()).status).toMatchObject({
      connectionState: "Online",
      activation: { status: "Active", instance: "pod-1", since: "2026-11-21T08:00:00Z" },
      loginServer: { host: "contoso-edge.edge.svc.cluster.local", tls: { status: "Enabled" } },
      schedule: "* * * * *",
    });
    const conditions = (await rig.registry()).status?.conditions ?? [];
    expect(conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
      "Ready=True Ready",
      "Reconciling=False Settled",
      "Stalled=False NotStalled",
      "ParentConfigured=True Configured",
      "SyncConfigured=True PolicyAccepted",
      "ClientTokensReady=True TokensIssued",
      "TLSReady=True CertificateIssued",
      "NodeTrust=True TrustDistributed",
      "Exposed=True ClusterOnly",
      "StorageReady=True VolumeBound",
      "Available=True Serving",
      "ParentReachable=True ParentAnswers",
      "Synced=False NotYetSynced",
    ]);
    expect(rig.failures).toEqual([]);
  });

  it("is configured by one document that the registry can read", async () => {
    const rig = await Rig.running();
    const settings = parseSettings(await rig.json("contoso-edge-config", "settings.json"));
    expect(settings).toMatchObject({
      name: "contoso-edge",
      mode: "ReadOnly",
      loginServers: expect.arrayContaining(["contoso-edge.edge.svc.cluster.local", "10.96.0.10"]) as unknown,
      parent: {
        loginServer: "registry.contoso.example:5000",
        protocol: "https",
        credentials: { username: "edge", password: "parent-password" },
        caBundle: expect.stringContaining("BEGIN CERTIFICATE") as unknown,
      },
      sync: {
        repositories: [{ name: "apps/*", tags: { include: ["*"], exclude: [] } }],
        pollIntervalSeconds: 5,
      },
      storageQuotaBytes: 5 * 2 ** 30,
      clientTokenSecrets: ["contoso-edge-token-edge-puller"],
    });
  });

  it("knows hashes and permissions of its client tokens, and never a password", async () => {
    const rig = await Rig.running();
    const text = await rig.secret("contoso-edge-token-edge-puller", "token.json");
    const token = parseClientToken(JSON.parse(text));
    const password = await rig.secret("edge-puller-credentials", "password2");
    const { salt, hash } = token.passwords[1]!;
    expect(hash).toBe(hashPassword(password, salt));
    expect(token).toMatchObject({
      name: "edge-puller",
      status: "enabled",
      actions: ["repositories/*/content/read", "repositories/*/metadata/read"],
    });
    expect(text).not.toContain(password);
  });

  it("writes nothing when nothing changed, and hardly looks while all is well", async () => {
    const rig = await Rig.running();
    const writes = rig.cluster.writes.length;
    const reconciles = rig.reconciles.get("connectedregistry") ?? 0;
    for (let tick = 0; tick < 120; tick++) {
      await rig.advance(seconds(5));
      await rig.beat("pod-1");
      await rig.settle();
    }
    const written = rig.cluster.writes.slice(writes).filter((write) => !write.includes("leases"));
    expect(written).toEqual([]);
    // One look per term of the heartbeat, and one in full.
    expect((rig.reconciles.get("connectedregistry") ?? 0) - reconciles).toBeLessThan(45);
  });

  it("repairs what somebody changed or deleted", async () => {
    const rig = await Rig.running();
    const role = await rig.get(RoleKind, edge.name);
    rig.cluster.put(RoleKind, { ...role, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] });
    await rig.cluster.delete(ServiceKind, edge);
    await rig.settle();
    expect((await rig.get(RoleKind, edge.name)).rules).toEqual(role.rules);
    expect((await rig.get(ServiceKind, edge.name)).spec.ports).toHaveLength(1);
  });

  it("takes a field that its spec no longer has out of what it made", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ nodeSelector: { site: "hall-3" } }));
    expect(JSON.stringify(await rig.get(DeploymentKind, edge.name))).toContain("hall-3");
    await rig.editRegistry(() => ({ nodeSelector: undefined }));
    expect(JSON.stringify(await rig.get(DeploymentKind, edge.name))).not.toContain("hall-3");
  });

  it("passes requests for a resync and a plan on, and says that it did", async () => {
    const rig = await Rig.running();
    const registry = await rig.registry();
    const annotations = {
      "connectedregistry.io/resync": "2026-11-21T10:00Z",
      "connectedregistry.io/plan": "2026-11-21T11:00Z",
    };
    rig.user({ ...registry, metadata: { ...registry.metadata, annotations } });
    await rig.settle();
    const settings = parseSettings(await rig.json("contoso-edge-config", "settings.json"));
    expect(settings.sync).toMatchObject({
      resyncRequest: "2026-11-21T10:00Z",
      planRequest: "2026-11-21T11:00Z",
    });
    expect((await rig.registry()).status?.lastResyncRequest).toBe("2026-11-21T10:00Z");
  });

  it("asks for names where the parent has no catalog, and is Ready all the same", async () => {
    const rig = await Rig.running();
    const detail = {
      ...{ type: "Catalog", code: "NOCATALOG", description: "Name them.", correlationId: "1" },
      timestamp: "2026-11-21T08:00:00Z",
    };
    const said = { connectionState: "Unhealthy", version: "0.1.0" } as const;
    await rig.say({ ...said, statusDetails: [detail] });
    expect(await rig.condition("SyncConfigured")).toMatchObject({
      status: "False",
      reason: "CatalogUnavailable",
      message: expect.stringContaining("Name the repositories in the SyncPolicy") as string,
    });
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
    await rig.say({ ...said, connectionState: "Online", statusDetails: [] });
    expect(await rig.condition("SyncConfigured")).toMatchObject({ status: "True" });
  });

  it("says that it is suspended, and tells the registry", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ suspend: true }));
    expect(await rig.condition("Ready")).toMatchObject({ status: "True", reason: "Suspended" });
    expect(parseSettings(await rig.json("contoso-edge-config", "settings.json")).suspend).toBe(true);
  });

  it("records an event when Ready turns, and none when it is found again", async () => {
    const rig = await Rig.running();
    const ofRegistry = rig.happenings.filter(({ name }) => name === edge.name).map(({ reason }) => reason);
    expect(ofRegistry.at(-1)).toBe("Ready");
    expect(rig.happenings.filter(({ type }) => type === "Warning")).toEqual([]);
    await rig.advance(minutes(0));
    expect(rig.happenings.filter(({ name }) => name === edge.name)).toHaveLength(ofRegistry.length);
  });

  it("leaves its volume behind only if it is told to", async () => {
    const rig = await Rig.running();
    await rig.cluster.delete(ConnectedRegistryKind, edge);
    await rig.settle();
    const kinds: readonly Kind<KubeObject>[] = [
      SecretKind,
      ServiceKind,
      DeploymentKind,
      LeaseKind,
      PersistentVolumeClaimKind,
    ];
    for (const kind of kinds) {
      const left = (await rig.cluster.list(kind, "edge")).map(({ metadata }) => metadata.name);
      expect(left.filter((name) => name.startsWith("contoso-edge"))).toEqual([]);
    }

    const other = await Rig.running();
    await other.editRegistry(({ storage }) => ({ storage: { ...storage, retainOnDelete: true } }));
    await other.cluster.delete(ConnectedRegistryKind, edge);
    await other.settle();
    const claims = await other.cluster.list(PersistentVolumeClaimKind, "edge");
    expect(claims.map(({ metadata }) => metadata.name)).toEqual(["contoso-edge-data"]);
  });

  it("takes over the volume of a predecessor of its name", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(({ storage }) => ({ storage: { ...storage, retainOnDelete: true } }));
    const registry = await rig.registry();
    await rig.cluster.delete(ConnectedRegistryKind, edge);
    await rig.settle();
    rig.user({ ...registry, metadata: edge, spec: registry.spec } as typeof registry);
    await rig.settle();
    expect(await rig.condition("StorageReady")).toMatchObject({ status: "True" });
  });
});

describe("the heartbeat", () => {
  it("makes a silent registry Offline, and gives the word back when it is heard again", async () => {
    const rig = await Rig.running();
    await rig.advance(seconds(25));
    expect((await rig.registry()).status?.connectionState).toBe("Offline");
    expect(await rig.condition("Available")).toMatchObject({ status: "False", reason: "Silent" });
    await rig.beat("pod-1");
    await rig.settle();
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
    expect((await rig.registry()).status?.connectionState).toBe("Offline");
    await rig.say({ connectionState: "Syncing", version: "0.1.0", statusDetails: [] });
    expect((await rig.registry()).status?.connectionState).toBe("Syncing");
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("gives a pod that has just started the time to report, and warns of nothing until then", async () => {
    const rig = await Rig.withSamples();
    await rig.settle();
    await rig.deploymentStatus(1);
    await rig.settle();
    expect(await rig.condition("Available")).toMatchObject({ status: "False", reason: "Starting" });
    expect(rig.happenings.filter(({ type }) => type === "Warning")).toEqual([]);
    await rig.advance(seconds(45));
    expect(await rig.condition("Available")).toMatchObject({ status: "False", reason: "Silent" });
    expect(rig.happenings.filter(({ type }) => type === "Warning")).toEqual([]);
    await rig.advance(seconds(90));
    expect(rig.happenings.filter(({ type }) => type === "Warning")).toMatchObject([{ reason: "Silent" }]);
  });

  it("makes a registry without a pod Offline at once", async () => {
    const rig = await Rig.running();
    await rig.stopPod("pod-1");
    expect((await rig.registry()).status?.connectionState).toBe("Offline");
    await rig.startPod("pod-2");
    expect((await rig.registry()).status).toMatchObject({
      connectionState: "Online",
      activation: { instance: "pod-2" },
    });
  });

  it("believes a pod that the kubelet does not call Running yet", async () => {
    const rig = await Rig.running();
    await rig.stopPod("pod-1");
    await rig.startPod("pod-2", "Pending");
    expect((await rig.registry()).status?.connectionState).toBe("Online");
  });

  it("does not take a predecessor's Lease for a sign of life", async () => {
    const rig = await Rig.running();
    await rig.stopPod("pod-1");
    await rig.startPod("pod-2");
    await rig.beat("pod-1");
    await rig.stopPod("pod-2");
    expect((await rig.registry()).status?.connectionState).toBe("Offline");
  });

  it.each([
    { because: "the node's clock is an hour slow", offset: -3600 },
    { because: "the node's clock is an hour fast", offset: 3600 },
  ])("T58 counts when it is seen: $because", async ({ offset }) => {
    const rig = await Rig.running();
    const renew = (): Promise<void> => rig.beat("pod-1", rig.clock.now().plus({ seconds: offset }).toISO());
    for (let tick = 0; tick < 12; tick++) {
      await renew();
      await rig.advance(seconds(5));
    }
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });
    await rig.advance(seconds(50));
    expect(await rig.condition("Available")).toMatchObject({ status: "False", reason: "Silent" });
  });

  it("leaves a running registry's own word alone, even if that is Offline", async () => {
    const rig = await Rig.running();
    await rig.say({ connectionState: "Offline", version: "0.1.0", statusDetails: [] });
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
    const writes = rig.cluster.writes.length;
    await rig.say({ connectionState: "Online", version: "0.1.0", statusDetails: [] });
    // The registry's own, and the condition ParentReachable.
    expect(rig.cluster.writes.slice(writes).filter((write) => write.includes("applyStatus"))).toHaveLength(2);
    expect((await rig.registry()).status?.connectionState).toBe("Online");
  });
});

describe("the certificate", () => {
  const serial = async (rig: Rig): Promise<string> =>
    new X509Certificate(await rig.secret("contoso-edge-tls", "tls.crt")).serialNumber;

  it("names every host of the registry and is signed by its own authority", async () => {
    const rig = await Rig.running();
    const server = new X509Certificate(await rig.secret("contoso-edge-tls", "tls.crt"));
    const ca = new X509Certificate(await rig.secret("contoso-edge-tls", "ca.crt"));
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.subjectAltName).toBe(
      "DNS:contoso-edge.edge.svc.cluster.local, DNS:contoso-edge.edge.svc, DNS:contoso-edge.edge, DNS:contoso-edge, IP Address:10.96.0.10",
    );
  });

  it("is renewed after two thirds of its life, by the same authority", async () => {
    const rig = await Rig.running();
    const [before, ca] = [await serial(rig), await rig.secret("contoso-edge-tls", "ca.crt")];
    await rig.skip(days(240));
    expect(await serial(rig)).toBe(before);
    await rig.skip(days(5));
    expect(await serial(rig)).not.toBe(before);
    expect(await rig.secret("contoso-edge-tls", "ca.crt")).toBe(ca);
  });

  it.each([
    {
      because: "the Service got another address",
      change: async (rig: Rig) => {
        const service = await rig.get(ServiceKind, edge.name);
        rig.cluster.put(ServiceKind, { ...service, spec: { ...service.spec, clusterIP: "10.96.0.99" } });
      },
    },
    {
      because: "the login server is another",
      change: async (rig: Rig) =>
        rig.editRegistry(({ service }) => ({
          service: { ...service, loginServer: "edge.contoso.example:8443" },
        })),
    },
    {
      because: "somebody spoiled it",
      change: async (rig: Rig) => {
        const secret = await rig.get(SecretKind, "contoso-edge-tls");
        rig.cluster.put(SecretKind, { ...secret, data: { ...secret.data, "tls.crt": "eA==" } });
      },
    },
  ])("is made anew when $because", async ({ change }) => {
    const rig = await Rig.running();
    const before = await serial(rig);
    await change(rig);
    await rig.settle();
    expect(await serial(rig)).not.toBe(before);
  });

  it("keeps its authority although a cache has not seen it yet", async () => {
    const rig = await Rig.running();
    const ca = await rig.secret("contoso-edge-ca", "tls.key");
    const blind = faulty(rig.cluster, {
      get: async (kind, key) => (key.name === "contoso-edge-ca" ? undefined : rig.cluster.get(kind, key)),
    });
    const tools = { client: blind, randomBytes: (n: number) => Buffer.alloc(n, 1), now: rig.clock.now() };
    const looking = ensureEncryption(tools, await rig.registry(), ["10.96.0.10"], []);
    await expect(looking).rejects.toBeInstanceOf(ConflictError);
    expect(await rig.secret("contoso-edge-ca", "tls.key")).toBe(ca);
  });
});

describe("client tokens", () => {
  it("keep their salts, so that nothing is written when nothing changed", async () => {
    const rig = await Rig.running();
    const before = await rig.secret("contoso-edge-token-edge-puller", "token.json");
    await rig.editToken({ status: "disabled" });
    const after = await rig.secret("contoso-edge-token-edge-puller", "token.json");
    expect(parseClientToken(JSON.parse(after))).toEqual({
      ...parseClientToken(JSON.parse(before)),
      status: "disabled",
    });
  });

  it("are forgotten when the registry no longer refers to them", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ clientTokenRefs: [] }));
    await expect(rig.secret("contoso-edge-token-edge-puller", "token.json")).rejects.toThrow("there is no");
    expect(await rig.condition("ClientTokensReady")).toMatchObject({ status: "True", reason: "NoTokens" });
    expect(JSON.stringify((await rig.get(RoleKind, edge.name)).rules)).not.toContain("token");
  });

  it("allow nothing once their scope map is gone", async () => {
    const rig = await Rig.running();
    await rig.cluster.delete(ScopeMapKind, { namespace: "edge", name: "edge-pull" });
    await rig.settle();
    const token = parseClientToken(await rig.json("contoso-edge-token-edge-puller", "token.json"));
    expect(token.actions).toEqual([]);
    expect(await rig.condition("ClientTokensReady")).toMatchObject({
      status: "False",
      reason: "ClientTokenNotReady",
    });
  });
});

describe("what is not a fault of the user", () => {
  it("is shown as Retrying and thrown, for the controller to retry", async () => {
    const boom = new Error("etcd is on fire");
    let burning = true;
    const rig = await Rig.withSamples((cluster) =>
      faulty(cluster, {
        apply: async (kind, object) => {
          if (burning && kind.kind === "Role") throw boom;
          return cluster.apply(kind, object);
        },
      }),
    );
    await rig.settle();
    expect(rig.failures).toContain(boom);
    expect(await rig.condition("Ready")).toMatchObject({ status: "Unknown", reason: "Retrying" });
    expect((await rig.registry()).status).toMatchObject({
      connectionState: "Offline",
      schedule: "* * * * *",
    });
    expect(await rig.condition("Reconciling")).toMatchObject({
      status: "True",
      message:
        "The last attempt failed: etcd is on fire. It is tried again by itself; the operator's log has the details.",
    });
    burning = false;
    rig.retry();
    await rig.settle();
    await rig.startPod("pod-1");
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });
  });
});
