import type { DateTime } from "luxon";
import { seconds } from "../../common/clock.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PodKind,
  RoleBindingKind,
  RoleKind,
  ServiceAccountKind,
  type Deployment,
  type Lease,
  type Pod,
} from "../api/kubernetes.ts";
import { stamped } from "../resources/applied.ts";
import { desiredDeployment } from "../resources/deployment.ts";
import { desiredLease } from "../resources/lease.ts";
import { loginServerOf, selectorOf } from "../resources/names.ts";
import { desiredRole, desiredRoleBinding, desiredServiceAccount } from "../resources/rbac.ts";
import { claimOf } from "../resources/storage.ts";
import { keyOf, type KubeClient } from "../runtime/kube.ts";
import { WaitingError } from "../status/errors.ts";
import { volumeFaultOf } from "../status/ending.ts";
import type { Finding } from "../status/summarize.ts";
import { isRolledOut, whyNotServing } from "../status/workload.ts";
import { attempt, ensure } from "./ensure.ts";
import type { Heartbeats } from "./heartbeats.ts";

interface Tools {
  readonly client: KubeClient;
  readonly registryImage: string;
  readonly heartbeats: Heartbeats;
  readonly now: DateTime<true>;
}

interface Workload {
  readonly deployment: Deployment;
  readonly lease: Lease;
}

/** What was seen of a running registry. */
export interface Observation {
  /** Nothing was heard from it lately, or it does not run: what it last said of itself no longer holds. */
  readonly silent: boolean;
  /** The instance that reports, or last did. */
  readonly instance: string | undefined;
  /** When its heartbeat runs out unless it is heard again; `undefined` if it has. */
  readonly expiry: DateTime<true> | undefined;
}

/** The pod, and what it may do. */
export async function applyWorkload(
  { client, registryImage }: Tools,
  registry: ConnectedRegistry,
  children: readonly ConnectedRegistry[],
): Promise<Workload> {
  await ensure(client, ServiceAccountKind, desiredServiceAccount(registry));
  await ensure(client, RoleKind, desiredRole(registry, children));
  await ensure(client, RoleBindingKind, desiredRoleBinding(registry));
  const lease = await ensure(client, LeaseKind, desiredLease(registry));
  return {
    lease,
    deployment: await ensure(client, DeploymentKind, desiredDeployment(registry, registryImage)),
  };
}

/** What runs although it could not be applied just now: a fault in the spec does not silence a registry. */
export async function presentWorkload(
  { client }: Tools,
  registry: ConnectedRegistry,
): Promise<Workload | undefined> {
  const [deployment, lease] = [
    await client.get(DeploymentKind, keyOf(registry)),
    await client.get(LeaseKind, keyOf(registry)),
  ];
  return deployment === undefined || lease === undefined ? undefined : { deployment, lease };
}

/** Looks at the pod and listens for its heartbeat. */
export async function observeWorkload(
  tools: Tools,
  registry: ConnectedRegistry,
  workload: Workload,
  findings: Finding[],
): Promise<Observation> {
  const { client } = tools;
  const { deployment } = workload;
  const rolledOut = isRolledOut(deployment);
  const wasOffline = registry.status?.connectionState === "Offline";
  const pods = rolledOut && !wasOffline ? undefined : await podsOf(client, registry, workload.lease);
  let sign = signOfLife(tools, workload, pods);
  if (!sign.alive && !wasOffline) {
    // A cache may lag behind the registry's own report, which must not be overruled by mistake. An apply that changes
    // nothing answers what there is now.
    const lease = await client.apply(LeaseKind, stamped(desiredLease(registry)));
    sign = signOfLife(tools, { deployment, lease }, pods);
  }

  await attempt(findings, async () => {
    if (!rolledOut || sign.expiry !== undefined) tools.heartbeats.expectNothing(keyOf(registry));
    const fault = rolledOut ? undefined : volumeFaultOf(pods ?? [], claimOf(registry));
    if (fault !== undefined) findings.push({ kind: "fault", error: fault });
    if (!rolledOut) throw whyNotServing(deployment, pods ?? []);
    if (sign.expiry === undefined) throw notHeard(tools, registry);
    findings.push({
      kind: "fine",
      reason: "Serving",
      message: `Clients reach it as ${loginServerOf(registry)}.`,
    });
  });
  return { silent: !sign.alive, instance: sign.instance, expiry: sign.expiry };
}

/** Silence is a fault of a registry that has been heard, or should have been by now. */
function notHeard({ heartbeats, now }: Tools, registry: ConnectedRegistry): WaitingError {
  const available = registry.status?.conditions?.find(({ type }) => type === "Available");
  const overdue = heartbeats.isOverdue(keyOf(registry), now);
  const silent = overdue || available?.status === "True" || available?.reason === "Silent";
  const retryAfter = seconds(5);
  return silent
    ? new WaitingError("Silent", "The registry's pod runs, but nothing is heard from it.", { retryAfter })
    : new WaitingError("Starting", "The registry's pod runs and is about to report.", { retryAfter });
}

/** @param pods those of the registry, where there is doubt about them */
function signOfLife(
  { heartbeats, now }: Tools,
  { deployment, lease }: Workload,
  pods: readonly Pod[] | undefined,
): {
  readonly alive: boolean;
  readonly instance: string | undefined;
  readonly expiry: DateTime<true> | undefined;
} {
  const instance = lease.spec?.holderIdentity;
  const expiry = heartbeats.expiryOf(lease, now);
  const beating = expiry !== undefined && expiry > now;
  // After a time of silence the pod that reports must be the one that runs: a predecessor's Lease may still be good.
  const running =
    pods === undefined
      ? (deployment.status?.readyReplicas ?? 0) > 0
      : pods.some((pod) => isAlive(pod) && pod.metadata.name === instance);
  return { alive: beating && running, instance, expiry: beating ? expiry : undefined };
}

/** The registry's pods, with the one that renews `lease`: the list may lag behind the Lease. */
async function podsOf(
  client: KubeClient,
  { metadata }: ConnectedRegistry,
  lease: Lease,
): Promise<readonly Pod[]> {
  const { namespace = "", name: registry } = metadata;
  const listed = await client.list(PodKind, namespace);
  const name = lease.spec?.holderIdentity ?? "";
  const unseen = name !== "" && !listed.some((pod) => pod.metadata.name === name);
  const holder = unseen ? await client.get(PodKind, { namespace, name }) : undefined;
  const wanted = Object.entries(selectorOf(registry));
  return [...listed, ...(holder === undefined ? [] : [holder])].filter((pod) =>
    wanted.every(([key, value]) => pod.metadata.labels?.[key] === value),
  );
}

/** The kubelet says that a pod runs some time after it does: a pod that renews its Lease need not be Running yet. */
function isAlive({ metadata, status }: Pod): boolean {
  const ended = status?.phase === "Failed" || status?.phase === "Succeeded";
  return metadata.deletionTimestamp === undefined && !ended;
}
