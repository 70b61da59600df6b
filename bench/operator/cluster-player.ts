import { milliseconds, systemClock as clock } from "../../common/clock.ts";
import {
  leaseDurationSeconds,
  leaseRenewSeconds,
  reporterFieldManager,
} from "../../common/contract/status.ts";
import { ConnectedRegistryKind } from "../../operator/api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  PodKind,
  type Deployment,
  type Pod,
} from "../../operator/api/kubernetes.ts";
import { claimName } from "../../operator/resources/names.ts";
import type { ApiServer } from "../../operator/runtime/api-server.ts";
import type { Informers } from "../../operator/runtime/informers.ts";
import { keyOf, keyText, type NamespacedName } from "../../operator/runtime/kube.ts";
import { microTime } from "../../operator/runtime/micro-time.ts";
import { RestClient } from "../../operator/runtime/rest-client.ts";
import { atOnce } from "./at-once.ts";

/** How many calls are under way at most. */
const connections = 8;
const tickMs = 100;
/** Long enough that no Lease runs out while it is not renewed. */
const longLeaseSeconds = 24 * 60 * 60;

/**
 * What of Kubernetes does not run here: volumes are bound, Deployments get a pod that runs, and its registry reports and
 * renews its Lease. All of it by the same calls as the real ones make.
 */
export class ClusterPlayer {
  private readonly cluster: RestClient;
  private readonly pods: RestClient;
  private readonly registries: readonly NamespacedName[];
  /** The generation that was rolled out, of those that were started. */
  private readonly rolledOut = new Map<string, number>();
  private beating = 0;

  constructor(api: ApiServer, informers: Informers, registries: readonly NamespacedName[]) {
    this.cluster = new RestClient(api, "cluster");
    this.pods = new RestClient(api, reporterFieldManager);
    this.registries = registries;
    informers.watch(DeploymentKind, (_, deployment) => {
      if (deployment !== undefined && this.rolledOut.has(keyText(keyOf(deployment)))) {
        void this.rollOut(deployment).catch(() => undefined);
      }
    });
  }

  /** Everything comes up, once; from then on Deployments that change are rolled out by themselves. */
  async startAll(signal: AbortSignal): Promise<void> {
    await atOnce(connections, this.registries, async (key) => {
      signal.throwIfAborted();
      const claim = { namespace: key.namespace, name: claimName(key.name) };
      await this.cluster.applyStatus(PersistentVolumeClaimKind, claim, { phase: "Bound" });
      const deployment = await this.cluster.get(DeploymentKind, key);
      if (deployment === undefined) throw new Error(`there is no Deployment ${keyText(key)}`);
      await this.startPod(key, deployment);
      this.rolledOut.set(keyText(key), 0);
      await this.rollOut(deployment);
      await this.renew(key, longLeaseSeconds);
      await this.pods.applyStatus(ConnectedRegistryKind, key, {
        connectionState: "Online",
        version: "1.0.0",
        statusDetails: [],
      });
    });
  }

  /** Renews all Leases as often as pods do, until `signal` aborts. */
  async beat(signal: AbortSignal): Promise<void> {
    const perTick = (this.registries.length * tickMs) / (leaseRenewSeconds * 1000);
    const start = clock.steady();
    let [renewed, failure] = [0, undefined as unknown];
    while (!isAborted(signal)) {
      const due = ((clock.steady() - start) / tickMs) * perTick;
      for (; renewed < due && this.beating < connections; renewed++) {
        const key = this.registries[renewed % this.registries.length];
        if (key === undefined) break;
        this.beating += 1;
        void this.renew(key, leaseDurationSeconds)
          .catch((error: unknown) => (failure = error))
          .finally(() => (this.beating -= 1));
      }
      if (failure !== undefined) throw failure as Error;
      await clock.sleep(milliseconds(tickMs / 10));
    }
    // A Lease that is no longer renewed must not run out.
    await atOnce(connections, this.registries, (key) => this.renew(key, longLeaseSeconds));
  }

  private async startPod(key: NamespacedName, deployment: Deployment): Promise<void> {
    const { template } = deployment.spec as { readonly template: Pick<Pod, "metadata"> };
    const metadata = { ...template.metadata, ...podKey(key) };
    await this.cluster.apply(PodKind, { ...template, apiVersion: "v1", kind: "Pod", metadata });
    await this.cluster.applyStatus<Pod>(PodKind, podKey(key), {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
    });
  }

  private async rollOut(deployment: Deployment): Promise<void> {
    const { generation = 1 } = deployment.metadata;
    const key = keyOf(deployment);
    if ((this.rolledOut.get(keyText(key)) ?? 0) >= generation) return;
    this.rolledOut.set(keyText(key), generation);
    await this.cluster.applyStatus<Deployment>(DeploymentKind, key, {
      observedGeneration: generation,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    });
  }

  private async renew(key: NamespacedName, lasts: number): Promise<void> {
    await this.pods.apply(LeaseKind, {
      apiVersion: LeaseKind.apiVersion,
      kind: LeaseKind.kind,
      metadata: key,
      spec: {
        holderIdentity: podKey(key).name,
        leaseDurationSeconds: lasts,
        renewTime: microTime(clock.now()),
      },
    });
  }
}

function podKey({ namespace, name }: NamespacedName): NamespacedName {
  return { namespace, name: `${name}-0` };
}

/** A function, because the compiler takes a property that it has read once for settled. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
