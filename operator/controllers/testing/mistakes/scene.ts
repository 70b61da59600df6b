import { randomBytes } from "node:crypto";
import { seconds, systemClock } from "../../../../common/clock.ts";
import { samples } from "../../../../crds/testing/samples.ts";
import { eventually } from "../../../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../../../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  PodKind,
  SecretKind,
  type Deployment,
  type PersistentVolumeClaim,
} from "../../../api/kubernetes.ts";
import { issueCa } from "../../../resources/certificates.ts";
import { encode } from "../../../resources/secret-data.ts";
import type { Kind, KubeObject, NamespacedName } from "../../../runtime/kube.ts";
import type { RestClient } from "../../../runtime/rest-client.ts";
import type { Condition } from "../../../status/conditions.ts";
import { ourKinds, type RealOperator } from "../real-operator.ts";

type Detail = NonNullable<NonNullable<ConnectedRegistry["status"]>["statusDetails"]>[number];

/**
 * The samples in a namespace of their own on a real API server, and the parts of Kubernetes that do not run there: claims get
 * bound, a pod runs, renews its Lease and reports.
 */
export class Scene {
  readonly operator: RealOperator;
  readonly user: RestClient;
  readonly namespace: string;
  private readonly closed = new AbortController();

  constructor(operator: RealOperator, namespace: string) {
    this.operator = operator;
    this.user = operator.user;
    this.namespace = namespace;
  }

  /** All but the registry. */
  async prepare(): Promise<void> {
    await this.operator.namespace(this.namespace);
    await this.parentSecret();
    await this.caSecret();
    for (const kind of ["SyncPolicy", "ScopeMap", "ClientToken"]) await this.sample(kind);
  }

  parentSecret(): Promise<void> {
    return this.secret("contoso-parent", { username: "edge", password: "parent-password" });
  }

  async caSecret(): Promise<void> {
    await this.secret("contoso-parent-ca", { "ca.crt": await certificate });
  }

  /** The sample of a kind, with another `spec` where one is given. */
  async sample(kindName: string, spec: object = {}): Promise<void> {
    const kind = ourKinds.find((one) => one.kind === kindName);
    const sample = samples.find((one) => one.kind === kindName) as
      (KubeObject & { spec: object }) | undefined;
    if (kind === undefined || sample === undefined) throw new TypeError(`there is no sample of ${kindName}`);
    const metadata = { name: sample.metadata.name, namespace: this.namespace };
    await this.user.apply(kind, { ...sample, metadata, spec: { ...sample.spec, ...spec } } as KubeObject);
  }

  /** The registry as a person describes it; what `spec` does not say is the sample's. */
  registry(spec: object = {}): Promise<void> {
    return this.sample("ConnectedRegistry", spec);
  }

  async secret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    // Keys that are left out go, as with kubectl apply.
    await this.user.apply(SecretKind, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: this.key(name),
      data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
    });
  }

  remove(kind: Kind<KubeObject>, name: string): Promise<void> {
    return this.user.delete(kind, this.key(name));
  }

  /** Kubernetes does its part, and the registry is well. */
  async run(): Promise<void> {
    await eventually("a Deployment", 30_000, () => this.user.get(DeploymentKind, this.key("contoso-edge")));
    await this.claim("Bound");
    await this.pod({ phase: "Running" });
    await this.rollout(1);
    await this.beat();
    void this.beating();
    await this.say();
  }

  claim(phase: "Bound" | "Lost"): Promise<PersistentVolumeClaim> {
    const key = this.key("contoso-edge-data");
    return this.user.applyStatus<PersistentVolumeClaim>(PersistentVolumeClaimKind, key, { phase });
  }

  async pod(status: object): Promise<void> {
    const deployment = await this.user.get(DeploymentKind, this.key("contoso-edge"));
    const { template } = deployment?.spec as { template: KubeObject };
    const metadata = { ...template.metadata, ...this.key("pod-1") };
    await this.user.apply(PodKind, { ...template, apiVersion: "v1", kind: "Pod", metadata });
    await this.user.applyStatus(PodKind, this.key("pod-1"), status);
  }

  removePod(): Promise<void> {
    return this.remove(PodKind, "pod-1");
  }

  /** The registry's container, as the kubelet would report it. */
  container(state: object, lastState: object = {}): Promise<void> {
    const one = {
      name: "registry",
      image: "registry.example/x:1",
      imageID: "",
      ready: false,
      restartCount: 0,
    };
    return this.pod({ phase: "Pending", containerStatuses: [{ ...one, state, lastState }] });
  }

  async rollout(ready: number, conditions: readonly object[] = []): Promise<void> {
    const key = this.key("contoso-edge");
    const deployment = await this.user.get(DeploymentKind, key);
    const counted = ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready };
    await this.user.applyStatus<Deployment>(DeploymentKind, key, {
      ...{ observedGeneration: deployment?.metadata.generation ?? 1, replicas: 1, updatedReplicas: 1 },
      ...{ ...counted, conditions },
    } as NonNullable<Deployment["status"]>);
  }

  /** What the registry reports: that all is well, or what is not. */
  async say(
    connectionState: "Online" | "Offline" | "Unhealthy" = "Online",
    ...details: readonly Pick<Detail, "type" | "code" | "description">[]
  ): Promise<void> {
    const found = { timestamp: "2026-11-21T08:00:00Z", correlationId: "1" };
    await this.operator.pod.applyStatus(ConnectedRegistryKind, this.key("contoso-edge"), {
      connectionState,
      version: "0.1.0",
      statusDetails: details.map((detail) => ({ ...detail, ...found })),
    });
  }

  async beat(): Promise<void> {
    const renewTime = systemClock.now().toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'000Z'");
    await this.operator.pod.apply(LeaseKind, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: this.key("contoso-edge"),
      spec: { holderIdentity: "pod-1", leaseDurationSeconds: 20, renewTime },
    });
  }

  /** The condition of an object, once `holds` is true of it. */
  until(
    what: string,
    kind: Kind<KubeObject>,
    name: string,
    type: string,
    withinMs: number,
    holds: (condition: Condition) => boolean,
  ): Promise<Condition> {
    const look = async (): Promise<Condition> => {
      const object = await this.user.get(kind, this.key(name));
      const { conditions = [] } = (object as ConnectedRegistry | undefined)?.status ?? {};
      const found = conditions.find((one) => one.type === type);
      if (found === undefined || !holds(found)) throw new Error(JSON.stringify(conditions));
      return found;
    };
    return eventually(`${this.namespace}: ${what}`, withinMs, look, 100);
  }

  key(name: string): NamespacedName {
    return { namespace: this.namespace, name };
  }

  close(): void {
    this.closed.abort();
  }

  private async beating(): Promise<void> {
    const { signal } = this.closed;
    try {
      for (;;) {
        await systemClock.sleep(seconds(5), signal);
        await this.beat();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Of some parent's authority. */
const certificate = issueCa("Contoso", systemClock.now(), randomBytes).then((ca) => ca.certificate);
