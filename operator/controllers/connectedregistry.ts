import { sameJson } from "../../common/same-json.ts";
import { Duration, type DateTime } from "luxon";
import { ClientTokenKind } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  NetworkPolicyKind,
  PersistentVolumeClaimKind,
  PodKind,
  RoleBindingKind,
  RoleKind,
  SecretKind,
  ServiceAccountKind,
  ServiceKind,
  type Lease,
} from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { unsentIn } from "../resources/deletion.ts";
import { childrenIn, placeOf } from "../resources/family.ts";
import { labelsOf } from "../resources/names.ts";
import { awaitChange, requeueAfter, soonest, type Action } from "../runtime/action.ts";
import type { EventRecorder } from "../runtime/events.ts";
import {
  ConflictError,
  keyText,
  NamespaceTerminatingError,
  type KubeObject,
  type NamespacedName,
} from "../runtime/kube.ts";
import { OwnWrites } from "../runtime/own-writes.ts";
import {
  itself,
  ofSpec,
  ownersOf,
  watchOf,
  type ControllerSpec,
  type ReconcileContext,
  type Reconciler,
  type WatchSpec,
} from "../runtime/reconciler.ts";
import type { Finding } from "../status/summarize.ts";
import { sameWord } from "../status/registry-word.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { holdUp, prepareDeletion } from "./registry-deletion.ts";
import { Heartbeats } from "./heartbeats.ts";
import { happenings } from "./registry-events.ts";
import { registryStatus } from "./registry-status.ts";
import { takeSteps, type Progress } from "./registry-steps.ts";
import { childOf, keysOfRelatives, keysRelated, type Relations } from "./relations.ts";
import { Reporter } from "./report.ts";

/**
 * However quiet it is, all is compared again after this, as controller-runtime does. Everything that a registry is made of
 * is watched, so that this mends nothing but a fault of ours; done often, it would be most of what an idle operator does.
 */
const resyncPeriod = Duration.fromObject({ hours: 10 });
/** What nothing tells us of, a claim that somebody made, is looked at again after this. */
const unfollowedPeriod = Duration.fromObject({ minutes: 10 });

/** Makes everything that a ConnectedRegistry is made of, and says in its status how that goes. */
export function connectedRegistryController(
  dependencies: ControllerDependencies,
  relations: Relations,
): ControllerSpec {
  const own = new OwnWrites(dependencies.client);
  const reconciler = new RegistryReconciler({ ...dependencies, client: own.client }, relations);
  const spec = own.overlooked({
    name: "connectedregistry",
    reconciler,
    workers: 4,
    watches: watches(relations, dependencies.events),
  });
  return {
    ...spec,
    watches: spec.watches.map(({ kind, keysFor }) => ({
      kind,
      keysFor: (before, after) => {
        const keys = keysFor(before, after);
        for (const key of keys) reconciler.changed(key);
        return keys;
      },
    })),
  };
}

function watches(relations: Relations, events: EventRecorder): readonly WatchSpec[] {
  const owners = ownersOf(ConnectedRegistryKind);
  return [
    watchOf(ConnectedRegistryKind, (before, after) => {
      if (before !== undefined && after !== undefined) {
        for (const happening of happenings(before, after)) events.record(after, happening);
      }
      // One that comes or goes may have kept another from their volume.
      const concerned = keysRelated(relations.registriesOnVolumeOf)(before, after);
      const relatives = keysOfRelatives(relations)(before, after);
      return isReport(before, after) ? relatives : [...itself(before, after), ...concerned, ...relatives];
    }),
    watchOf(SecretKind, (before, after) => [
      ...owners(before, after),
      ...keysRelated(relations.registriesWithSecret)(before, after),
      // The parent's pod was told of the sync token.
      ...[childOf(after ?? before)].filter((child) => child !== undefined),
    ]),
    // What one wants counts at all above it.
    watchOf(
      SyncPolicyKind,
      ofSpec(keysRelated((policy) => relations.registriesWithPolicy(policy).flatMap(relations.relatives))),
    ),
    watchOf(ClientTokenKind, ofSpec(keysRelated(relations.registriesWithToken))),
    watchOf(ClientTokenKind, ofSpec(keysRelated(relations.registriesWithSyncToken))),
    watchOf(
      ScopeMapKind,
      keysRelated((scopeMap) =>
        relations.tokensWithScopeMap(scopeMap).flatMap(relations.registriesWithToken),
      ),
    ),
    watchOf(
      ScopeMapKind,
      keysRelated((scopeMap) => relations.registriesWithScopeMap(scopeMap).flatMap(relations.relatives)),
    ),
    watchOf(LeaseKind, (before, after) => (isRenewal(before, after) ? [] : owners(before, after))),
    watchOf(PersistentVolumeClaimKind, instanceOf),
    watchOf(PodKind, instanceOf),
    ...[DeploymentKind, ServiceKind, ServiceAccountKind, RoleKind, RoleBindingKind, NetworkPolicyKind].map(
      (kind) => ({
        kind,
        keysFor: owners,
      }),
    ),
  ];
}

class RegistryReconciler implements Reconciler {
  private readonly dependencies: ControllerDependencies;
  private readonly relations: Relations;
  private readonly reporter: Reporter;
  private readonly heartbeats = new Heartbeats();
  /** Until when nothing but a heartbeat is due, by key: nothing has changed since all was found fine. */
  private readonly quietUntil = new Map<string, DateTime<true>>();

  constructor(dependencies: ControllerDependencies, relations: Relations) {
    this.dependencies = dependencies;
    this.relations = relations;
    this.reporter = new Reporter(dependencies);
  }

  /** Something that `key` depends on is not as it was. */
  changed(key: NamespacedName): void {
    this.quietUntil.delete(keyText(key));
  }

  async reconcile(key: NamespacedName, { clock }: ReconcileContext): Promise<Action> {
    const { client } = this.dependencies;
    const now = clock.now();
    const registry = await client.get(ConnectedRegistryKind, key);
    if (registry === undefined) return this.forget(key);
    const findings: Finding[] = [];
    if (registry.metadata.deletionTimestamp !== undefined) {
      const held = await holdUp(this.dependencies, registry, this.childrenOf(registry));
      if (held === undefined) return this.forget(key);
      findings.push(held);
    }
    const quietUntil = this.quietUntil.get(keyText(key));
    if (quietUntil !== undefined && now < quietUntil) {
      const lease = await client.get(LeaseKind, key);
      const expiry = lease === undefined ? undefined : this.heartbeats.expiryOf(lease, now);
      if (expiry !== undefined && expiry > now) return soonest(at(expiry, now), at(quietUntil, now));
    }
    return this.reconcileAll(key, registry, findings, now);
  }

  /** Those that were let in below it. */
  private childrenOf(registry: ConnectedRegistry): readonly ConnectedRegistry[] {
    const { kinship } = this.relations;
    const { registriesPerHierarchy } = this.dependencies.limits;
    return childrenIn(registry, placeOf(registry, kinship, registriesPerHierarchy).hierarchy);
  }

  /** What it owned is collected by Kubernetes. */
  private forget(key: NamespacedName): Action {
    this.heartbeats.forget(key);
    this.reporter.forget(key);
    this.changed(key);
    return awaitChange;
  }

  private async reconcileAll(
    key: NamespacedName,
    registry: ConnectedRegistry,
    findings: Finding[],
    now: DateTime<true>,
  ): Promise<Action> {
    const { dependencies, relations, heartbeats } = this;
    const { existingClaim } = registry.spec.storage;
    const fullAgain = now.plus(existingClaim === undefined ? resyncPeriod : unfollowedPeriod);
    this.quietUntil.set(keyText(key), fullAgain);
    const progress: Progress = { findings };
    try {
      registry = await prepareDeletion(dependencies, registry, this.childrenOf(registry), findings);
      await takeSteps({ ...dependencies, relations, heartbeats, now }, registry, progress);
    } catch (error) {
      this.changed(key);
      if (error instanceof ConflictError || error instanceof NamespaceTerminatingError) throw error;
      progress.error = error;
    }
    const { outcome, fields } = registryStatus(registry, progress, now);
    const action = await this.reporter.report(ConnectedRegistryKind, registry, outcome, fields, now);
    if (progress.error !== undefined) throw progress.error as Error;

    const { encryption, observation } = progress;
    const renewal = encryption?.kind === "certificate" ? encryption.change : undefined;
    const quiet = this.quietUntil.has(keyText(key));
    if (quiet && renewal !== undefined && renewal < fullAgain) this.quietUntil.set(keyText(key), renewal);
    // What is not fine is looked at in full whenever it comes up.
    if (outcome.findings.some(({ kind }) => kind === "fault" || kind === "skipped")) this.changed(key);
    const times = [fullAgain, renewal, observation?.expiry].flatMap((time) =>
      time === undefined ? [] : [time],
    );
    return times.map((time) => at(time, now)).reduce(soonest, action);
  }
}

/** A second later than `time`, so that whatever ends then has ended. */
function at(time: DateTime<true>, now: DateTime<true>): Action {
  return requeueAfter(Duration.fromMillis(Math.max(0, time.diff(now).toMillis()) + 1000));
}

/** Whether nothing but the registry's own report has changed, and nothing of which conditions speak: that is for people. */
function isReport(before: ConnectedRegistry | undefined, after: ConnectedRegistry | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const [was, is] = [before, after].map((object) => ({
    generation: object.metadata.generation,
    annotations: object.metadata.annotations,
    deleted: object.metadata.deletionTimestamp,
    // What holds up a deletion, and what it waits for.
    held: object.metadata.finalizers,
    drained: object.status?.drained,
    unsent: [object.status?.up?.pending === 0, unsentIn(object) > 0],
    conditions: object.status?.conditions,
    // The word on which both of us have a say.
    connectionState: object.status?.connectionState,
  }));
  return sameJson(was, is) && sameWord(before, after);
}

/** Whether a Lease was renewed by its holder in time; that it was not in time is found by looking again. */
function isRenewal(before: Lease | undefined, after: Lease | undefined): boolean {
  const [was, is] = [before?.spec, after?.spec];
  if (was?.renewTime === undefined || is?.renewTime === undefined) return false;
  const gap = Date.parse(is.renewTime) - Date.parse(was.renewTime);
  return was.holderIdentity === is.holderIdentity && gap < 1000 * (was.leaseDurationSeconds ?? 0);
}

/** By its labels: a claim that outlives its registry has no owner, and a pod has another. */
function instanceOf(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): readonly NamespacedName[] {
  const { namespace = "", labels } = (after ?? before)?.metadata ?? {};
  const name = labels?.["app.kubernetes.io/instance"];
  if (name === undefined) return [];
  const ours = Object.entries(labelsOf(name)).every(([key, value]) => labels?.[key] === value);
  return ours ? [{ namespace, name }] : [];
}
