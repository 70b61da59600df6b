import { createHash } from "node:crypto";
import type { Duration } from "luxon";
import { milliseconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { defaulted, schemas } from "../../../crds/testing/structural.ts";
import { samples } from "../../../crds/testing/samples.ts";
import { ClientTokenKind, type ClientToken } from "../../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  PodKind,
  SecretKind,
  ServiceKind,
  StorageClassKind,
  type Secret,
} from "../../api/kubernetes.ts";
import { ScopeMapKind } from "../../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../../api/syncpolicy.gen.ts";
import { labelsOf } from "../../resources/names.ts";
import { encode } from "../../resources/secret-data.ts";
import type { Happening } from "../../runtime/events.ts";
import {
  ConflictError,
  keyText,
  type Kind,
  type KubeClient,
  type KubeObject,
  type NamespacedName,
} from "../../runtime/kube.ts";
import type { ControllerSpec } from "../../runtime/reconciler.ts";
import { FakeCluster } from "../../runtime/testing/fake-cluster.ts";
import { LaggingView } from "../../runtime/testing/lagging-view.ts";
import type { Condition } from "../../status/conditions.ts";
import { expectSound } from "../../status/sound.ts";
import { StatusHistory } from "../../status/testing/history.ts";
import { soundClient } from "../../status/testing/sound-client.ts";
import { controllers } from "../all.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { issueCa } from "../../resources/certificates.ts";

interface Lane {
  readonly spec: ControllerSpec;
  readonly due: Map<string, NamespacedName>;
  readonly timers: Map<string, number>;
  readonly failed: Map<string, NamespacedName>;
}

const kinds: readonly Kind<KubeObject>[] = [
  ConnectedRegistryKind,
  SyncPolicyKind,
  ScopeMapKind,
  ClientTokenKind,
];
export const edge = { namespace: "edge", name: "contoso-edge" };
const start = "2026-11-21T08:00:00Z";

/**
 * All our controllers on a cluster in memory, run to rest step by step, and the parts of Kubernetes that they wait for:
 * Services get addresses, claims get bound, and a pod runs when a test says so.
 */
export class Rig {
  readonly clock = new ManualClock(start);
  readonly cluster = new FakeCluster(this.clock, withDefaults);
  readonly pod = this.cluster.as("connected-registry");
  readonly happenings: (Happening & { readonly name: string })[] = [];
  /** Every status that the operator wrote. */
  readonly history = new StatusHistory();
  /** What reconciles threw, in order. */
  readonly failures: unknown[] = [];
  /** How often each controller reconciled. */
  readonly reconciles = new Map<string, number>();
  bindsClaims = true;
  private readonly view: LaggingView;
  private readonly client: (cluster: KubeClient) => KubeClient;
  private readonly limits: Limits;
  private readonly publishPullSecrets: boolean;
  private lanes: readonly Lane[] = [];
  private randomness = 0;
  private nextAddress = 10;

  constructor(
    client: (cluster: KubeClient) => KubeClient = (cluster) => cluster,
    limits: Partial<Limits> = {},
    publishPullSecrets = true,
    lag = 0,
  ) {
    this.client = client;
    this.limits = { ...defaultLimits, ...limits };
    this.publishPullSecrets = publishPullSecrets;
    this.view = new LaggingView(this.cluster, lag);
    this.restart();
  }

  /** As if the operator's process had ended and another had started: nothing is left but what the cluster knows. */
  restart(): void {
    const specs = controllers({
      client: this.client(soundClient(this.view, this.history)),
      watcher: this.view,
      events: {
        record: (regarding, happening) =>
          this.happenings.push({ ...happening, name: regarding.metadata.name }),
      },
      randomBytes: (length) => this.bytes(length),
      registryImage: "registry.example/connected-registry:0.1.0",
      namespace: "connected-registry",
      nodeTrustHosts: ["*.contoso.example"],
      limits: this.limits,
      publishPullSecrets: this.publishPullSecrets,
    });
    const lanes = specs.map((spec) => ({ spec, due: new Map(), timers: new Map(), failed: new Map() }));
    this.lanes = lanes;
    for (const { spec, due } of lanes) {
      for (const { kind, keysFor } of spec.watches) {
        this.view.watch(kind, (before, after) => {
          // Those that were thrown away hear nothing any more.
          if (this.lanes !== lanes) return;
          for (const key of keysFor(before, after)) due.set(keyText(key), key);
        });
      }
    }
  }

  /** The samples, with the Secrets that they ask for. */
  static async withSamples(client?: (cluster: KubeClient) => KubeClient): Promise<Rig> {
    const rig = new Rig(client);
    await rig.bringSecrets();
    for (const sample of samples) rig.user(sample);
    return rig;
  }

  /** The Secrets that the samples ask for. */
  async bringSecrets(): Promise<void> {
    this.putSecret("contoso-parent", { username: "edge", password: "parent-password" });
    this.putSecret("contoso-parent-ca", { "ca.crt": await certificate });
  }

  /** …settled, and with a registry that runs and reports. */
  static async running(client?: (cluster: KubeClient) => KubeClient): Promise<Rig> {
    const rig = await Rig.withSamples(client);
    await rig.settle();
    await rig.startPod("pod-1");
    return rig;
  }

  /** What a person does with kubectl; the API server fills in the defaults. */
  user(object: KubeObject): void {
    const kind = kinds.find((one) => one.kind === object.kind);
    if (kind !== undefined) this.cluster.put(kind, object);
  }

  putSecret(name: string, data: Readonly<Record<string, string>>, namespace = "edge"): void {
    const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)]));
    const metadata = { name, namespace };
    this.cluster.put(SecretKind, { apiVersion: "v1", kind: "Secret", metadata, data: encoded });
  }

  storageClass(name: string, isDefault: boolean): void {
    const annotations = { "storageclass.kubernetes.io/is-default-class": String(isDefault) };
    const metadata = { name, annotations };
    this.cluster.put(StorageClassKind, { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata });
  }

  async editRegistry(change: (spec: ConnectedRegistry["spec"]) => object): Promise<void> {
    const registry = await this.registry();
    this.user({ ...registry, spec: { ...registry.spec, ...change(registry.spec) } } as KubeObject);
    await this.settle();
  }

  async editToken(change: Partial<ClientToken["spec"]>): Promise<void> {
    const token = await this.get(ClientTokenKind, "edge-puller");
    this.user({ ...token, spec: { ...token.spec, ...change } } as KubeObject);
    await this.settle();
  }

  /** Changes an object of ours: what `change` says of annotations and spec takes the place of what was there. */
  async edit(
    kind: Kind<KubeObject>,
    name: string,
    change: { readonly annotations?: Readonly<Record<string, string>>; readonly spec?: object },
  ): Promise<void> {
    const object = await this.get(kind, name);
    const { annotations = object.metadata.annotations, ...rest } = change;
    const metadata = { ...object.metadata, ...(annotations === undefined ? {} : { annotations }) };
    this.user({ ...object, ...rest, metadata });
    await this.settle();
  }

  /** Until nothing is due. Every status that comes out of it must be sound. */
  async settle(): Promise<void> {
    for (let round = 0; ; round++) {
      if (round > 500) throw new Error("the controllers do not come to rest");
      await this.kubernetes();
      const lane = this.lanes.find(({ due }) => due.size > 0);
      if (lane !== undefined) await this.reconcile(lane);
      else if (!this.view.catchUp()) break;
    }
    const failing = this.lanes.some(({ failed }) => failed.size > 0);
    for (const kind of kinds) {
      for (const object of await this.cluster.list(kind)) {
        const { status } = object as ConnectedRegistry;
        // Nothing may have been said yet of an object of which not even the first look came to an end.
        if (status !== undefined || !failing) expectSound(status);
      }
    }
    this.history.expectNoFaults();
  }

  /** Lets time pass; what comes up meanwhile is done at its time. */
  async advance(duration: Duration): Promise<void> {
    const end = this.clock.now().plus(duration).toMillis();
    for (;;) {
      const times = this.lanes.flatMap(({ timers }) => [...timers.values()]);
      const next = Math.min(end, ...times);
      await this.skip(milliseconds(next - this.clock.now().toMillis()));
      if (next === end) return;
    }
  }

  /** Time passes at once, and what came up meanwhile is done once, at the end. */
  async skip(duration: Duration): Promise<void> {
    await this.clock.advance(duration);
    const now = this.clock.now().toMillis();
    for (const { timers, due } of this.lanes) {
      for (const [text, at] of [...timers]) {
        if (at > now) continue;
        timers.delete(text);
        const [namespace = "", name = ""] = text.split("/");
        due.set(text, { namespace, name });
      }
    }
    await this.settle();
  }

  /** What the controllers do with what failed. Tells whether there was anything. */
  retry(): boolean {
    const any = this.lanes.some(({ failed }) => failed.size > 0);
    for (const { due, failed } of this.lanes) {
      for (const [text, key] of failed) due.set(text, key);
      failed.clear();
    }
    return any;
  }

  async get<T extends KubeObject>(kind: Kind<T>, name: string, namespace = "edge"): Promise<T> {
    const found = await this.cluster.get(kind, { namespace, name });
    if (found === undefined) throw new Error(`there is no ${kind.kind} ${name}`);
    return found;
  }

  registry({ namespace, name }: NamespacedName = edge): Promise<ConnectedRegistry> {
    return this.get(ConnectedRegistryKind, name, namespace);
  }

  async condition(type: string, key: NamespacedName = edge): Promise<Condition | undefined> {
    return (await this.registry(key)).status?.conditions?.find((one) => one.type === type);
  }

  /** The text of a key of a Secret. */
  async secret(name: string, key: string, namespace = edge.namespace): Promise<string> {
    const secret: Secret = await this.get(SecretKind, name, namespace);
    return Buffer.from(secret.data?.[key] ?? "", "base64").toString();
  }

  async json(name: string, key: string, namespace = edge.namespace): Promise<unknown> {
    return JSON.parse(await this.secret(name, key, namespace)) as unknown;
  }

  /** A pod starts, reports and renews its Lease; the Deployment counts it. */
  async startPod(name: string, phase = "Running"): Promise<void> {
    this.cluster.put(PodKind, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: edge.namespace, labels: labelsOf(edge.name) },
      status: { phase },
    });
    await this.beat(name);
    await this.deploymentStatus(1);
    await this.say({ connectionState: "Online", version: "0.1.0", statusDetails: [] });
  }

  async stopPod(name: string): Promise<void> {
    await this.cluster.delete(PodKind, { namespace: edge.namespace, name });
    await this.deploymentStatus(0);
    await this.settle();
  }

  async deploymentStatus(ready: number): Promise<void> {
    const deployment = await this.get(DeploymentKind, edge.name);
    const { generation = 1 } = deployment.metadata;
    const status = { observedGeneration: generation, updatedReplicas: 1, readyReplicas: ready };
    this.cluster.put(DeploymentKind, { ...deployment, status });
  }

  async beat(holderIdentity: string, renewTime = this.clock.now().toISO()): Promise<void> {
    await this.pod.apply(LeaseKind, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: edge,
      spec: { holderIdentity, renewTime, leaseDurationSeconds: 20 },
    });
  }

  async say(status: NonNullable<ConnectedRegistry["status"]>): Promise<void> {
    await this.pod.applyStatus(ConnectedRegistryKind, edge, status);
    await this.settle();
  }

  private async reconcile({ spec, due, timers, failed }: Lane): Promise<void> {
    const [next] = due;
    if (next === undefined) return;
    const [text, key] = next;
    due.delete(text);
    timers.delete(text);
    this.reconciles.set(spec.name, (this.reconciles.get(spec.name) ?? 0) + 1);
    const { signal } = new AbortController();
    try {
      const action = await spec.reconciler.reconcile(key, { log: silentLog, clock: this.clock, signal });
      if (action.kind === "requeueAfter") {
        timers.set(text, this.clock.now().toMillis() + action.delay.toMillis());
      }
    } catch (error) {
      if (error instanceof ConflictError) due.set(text, key);
      else failed.set(text, key);
      this.failures.push(error);
    }
  }

  private async kubernetes(): Promise<void> {
    for (const service of await this.cluster.list(ServiceKind)) {
      if (service.spec.clusterIP !== undefined) continue;
      const ports = (service.spec.ports ?? []).map((port) =>
        service.spec.type === "ClusterIP" ? port : { ...port, nodePort: port.nodePort ?? 30443 },
      );
      const clusterIP = `10.96.0.${this.nextAddress}`;
      this.nextAddress += 1;
      this.cluster.put(ServiceKind, { ...service, spec: { ...service.spec, clusterIP, ports } });
    }
    if (!this.bindsClaims) return;
    for (const claim of await this.cluster.list(PersistentVolumeClaimKind)) {
      if (claim.status?.phase === "Bound") continue;
      this.cluster.put(PersistentVolumeClaimKind, { ...claim, status: { phase: "Bound" } });
    }
  }

  /** Different at each call, and the same in each run. */
  private bytes(length: number): Buffer {
    this.randomness += 1;
    return createHash("sha512").update(String(this.randomness)).digest().subarray(0, length);
  }
}

/** What the API server makes of an object of ours. */
function withDefaults(object: KubeObject): KubeObject {
  const schema = schemas.get(object.kind);
  return schema === undefined ? object : (defaulted(schema, object) as KubeObject);
}

/** Of some parent's authority. */
const certificate = issueCa("Contoso", new ManualClock(start).now(), (length) =>
  Buffer.alloc(length, 7),
).then((ca) => ca.certificate);
