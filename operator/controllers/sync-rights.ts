import { parseScope } from "../../common/contract/scope.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { isScope } from "../resources/actions.ts";
import { childrenIn, consentOf, parentIn, type Hierarchy } from "../resources/family.ts";
import {
  everythingIn,
  intersectionOf,
  rightsOf,
  rightsToSync,
  syncRights,
  type Rights,
} from "../resources/sync-scope.ts";
import type { KubeClient } from "../runtime/kube.ts";

interface Wishes {
  readonly own: Rights;
  readonly bound: Rights;
}

/** What the sync token of `child` allows in `hierarchy`. Reads nothing but what is watched anyway. */
export async function rightsAtParent(
  client: KubeClient,
  child: ConnectedRegistry,
  hierarchy: Hierarchy,
): Promise<Rights> {
  const ancestors = above(child, hierarchy);
  const wishes = new Map<ConnectedRegistry, Wishes>();
  for (const one of [...ancestors, child, ...below(child, hierarchy)]) {
    wishes.set(one, await wishesOf(client, one, hierarchy));
  }
  const none: Wishes = { own: new Map(), bound: new Map() };
  return syncRights(child, {
    own: (one) => (wishes.get(one) ?? none).own,
    bound: (one) => (wishes.get(one) ?? none).bound,
    children: (one) => childrenIn(one, hierarchy),
    ancestors: () => ancestors,
  });
}

/** All that hang below `registry`. */
export function below(registry: ConnectedRegistry, hierarchy: Hierarchy): readonly ConnectedRegistry[] {
  return childrenIn(registry, hierarchy).flatMap((child) => [child, ...below(child, hierarchy)]);
}

/** Those above `registry` that have a parent themselves. */
function above(registry: ConnectedRegistry, hierarchy: Hierarchy): readonly ConnectedRegistry[] {
  const parent = parentIn(registry, hierarchy);
  return parent === undefined || parentIn(parent, hierarchy) === undefined
    ? []
    : [parent, ...above(parent, hierarchy)];
}

async function wishesOf(
  client: KubeClient,
  registry: ConnectedRegistry,
  hierarchy: Hierarchy,
): Promise<Wishes> {
  const { namespace = "" } = registry.metadata;
  const { mode, parent: { scopeMapRef } = {}, syncPolicyRef } = registry.spec;
  const mapped = scopeMapRef === undefined ? undefined : await mapOf(client, namespace, scopeMapRef.name);
  const parent = parentIn(registry, hierarchy);
  const consent = parent === undefined ? undefined : consentOf(parent, namespace)?.scopeMapRef;
  const consented =
    consent === undefined ? undefined : await mapOf(client, parent?.metadata.namespace ?? "", consent.name);
  const policy =
    syncPolicyRef === undefined
      ? undefined
      : await client.get(SyncPolicyKind, { namespace, name: syncPolicyRef.name });
  const names = (policy?.spec.repositories ?? []).map(({ name }) => name);
  const bounds = [
    everythingIn(mode),
    ...(parent === undefined ? [] : [everythingIn(parent.spec.mode)]),
    ...[mapped, consented].filter((rights) => rights !== undefined),
  ];
  return { own: mapped ?? rightsToSync(names, mode), bound: bounds.reduce(intersectionOf) };
}

/** A ScopeMap that is not there allows nothing. */
async function mapOf(client: KubeClient, namespace: string, name: string): Promise<Rights> {
  const scopeMap = await client.get(ScopeMapKind, { namespace, name });
  return rightsOf((scopeMap?.spec.actions ?? []).filter(isScope).map(parseScope));
}
