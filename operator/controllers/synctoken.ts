import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { ScopeMapKind } from "../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { parentIn, placeOf, type Hierarchy } from "../resources/family.ts";
import { credentialsSecretName, syncSecretName } from "../resources/names.ts";
import { tokenSettings } from "../resources/token-settings.ts";
import { desiredSyncSecret } from "../resources/secrets.ts";
import { patternsIn, scopesOf } from "../resources/sync-scope.ts";
import { desiredSyncToken, isSyncToken, maxPatterns } from "../resources/sync-token.ts";
import { awaitChange } from "../runtime/action.ts";
import { keyOf, keyText, type KubeObject, type NamespacedName } from "../runtime/kube.ts";
import { itself, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { ensure, ensureFrom } from "./ensure.ts";
import { childOf, keysOfRelatives, syncTokenOf, type Relations } from "./relations.ts";
import { below, rightsAtParent } from "./sync-rights.ts";

interface Tools extends ControllerDependencies {
  readonly relations: Relations;
}

/** The objects of one child at its parent: `undefined` while they are being made. */
type Kept = { readonly tokens: readonly KubeObject[]; readonly secrets: readonly KubeObject[] } | undefined;

/**
 * Gives each registry whose parent is another one of this cluster its sync token there: a ClientToken in the parent's
 * namespace, and the Secret that tells the parent's pod of it. What is left of a child that went, moved or is no longer
 * let in is taken away, which locks it out whatever it still knows.
 *
 * The ClientToken's spec is its owner's: whoever has the parent may disable it, or let its passwords expire.
 */
export function syncTokenController(
  dependencies: ControllerDependencies,
  relations: Relations,
): ControllerSpec {
  const tools: Tools = { ...dependencies, relations };
  const relatives = (registries: readonly ConnectedRegistry[]): readonly NamespacedName[] =>
    registries.flatMap(relations.relatives).map(keyOf);
  /** Of those who log in with it, and of whom it was made for. */
  const byToken = (token: KubeObject | undefined): readonly NamespacedName[] => {
    if (token === undefined) return [];
    return [...relations.registriesWithSyncToken(token).map(keyOf), ...madeFor(token)];
  };
  return {
    name: "synctoken",
    workers: 2,
    watches: [
      watchOf(ConnectedRegistryKind, (before, after) => [
        ...(before === undefined || after === undefined ? itself(before, after) : []),
        ...keysOfRelatives(relations)(before, after),
      ]),
      watchOf(ClientTokenKind, (before, after) => byToken(after ?? before)),
      watchOf(SecretKind, (before, after) => {
        const secret = after ?? before;
        return secret === undefined ? [] : [...madeFor(secret), ...byToken(tokenOf(secret))];
      }),
      watchOf(SyncPolicyKind, (before, after) => {
        const policy = after ?? before;
        return policy === undefined ? [] : relatives(relations.registriesWithPolicy(policy));
      }),
      watchOf(ScopeMapKind, (before, after) => {
        const scopeMap = after ?? before;
        return scopeMap === undefined ? [] : relatives(relations.registriesWithScopeMap(scopeMap));
      }),
    ],
    reconciler: {
      async reconcile(key) {
        const child = await tools.client.get(ConnectedRegistryKind, key);
        const kept = child === undefined ? nothing : await provide(tools, child);
        if (kept !== undefined) await sweep(tools, key, kept);
        return awaitChange;
      },
    },
  };
}

const nothing: Kept = { tokens: [], secrets: [] };

async function provide(tools: Tools, child: ConnectedRegistry): Promise<Kept> {
  const { client, relations, limits } = tools;
  // Most registries have no other for a parent.
  if (syncTokenOf(child) === undefined) return nothing;
  const { hierarchy } = placeOf(child, relations.kinship, limits.registriesPerHierarchy);
  const parent = parentIn(child, hierarchy);
  if (parent === undefined) return nothing;

  const wanted = desiredSyncToken(parent, child);
  const present = await client.get(ClientTokenKind, keyOf(wanted));
  if (present !== undefined && !isSyncToken(present, parent, child)) return nothing;
  const token = await ensure(client, ClientTokenKind, wanted);
  const { namespace, name } = keyOf(token);
  const credentials = await client.get(SecretKind, { namespace, name: credentialsSecretName(name) });
  const issued =
    credentials?.metadata.ownerReferences?.some(({ uid }) => uid === token.metadata.uid) === true;
  if (!issued) return undefined;
  const secret = await tell(tools, { parent, child, hierarchy, token, credentials });
  return secret === undefined ? undefined : { tokens: [token], secrets: [secret] };
}

/** What the parent's pod may know. Rights that are too many are not told: it goes by the last that were not. */
async function tell(
  { client, randomBytes }: Tools,
  {
    parent,
    child,
    hierarchy,
    token,
    credentials,
  }: {
    readonly parent: ConnectedRegistry;
    readonly child: ConnectedRegistry;
    readonly hierarchy: Hierarchy;
    readonly token: ClientToken;
    readonly credentials: Secret;
  },
): Promise<Secret | undefined> {
  const { namespace = "" } = parent.metadata;
  const name = syncSecretName(parent.metadata.name, child.metadata.name);
  const previous = await client.get(SecretKind, { namespace, name });
  const rights = await rightsAtParent(client, child, hierarchy);
  if (patternsIn(rights).length > maxPatterns) return previous;
  const gateways = [child, ...below(child, hierarchy)].map(({ metadata }) => metadata.name);
  const settings = tokenSettings(token, credentials, scopesOf(rights, gateways), previous, randomBytes);
  const desired = desiredSyncSecret(parent, child, { ...settings, kind: "sync" });
  return ensureFrom(client, SecretKind, previous, desired);
}

/** Takes away what was made for `child` and is not to be kept. Only ever what is ours: an annotation proves nothing (S31). */
async function sweep(
  { client, relations }: Tools,
  child: NamespacedName,
  kept: NonNullable<Kept>,
): Promise<void> {
  const left = <T extends KubeObject>(present: readonly T[], keep: readonly KubeObject[]): readonly T[] =>
    present.filter(
      (one) => isOwned(one) && !keep.some((other) => keyText(keyOf(other)) === keyText(keyOf(one))),
    );
  // First what the parent's pod goes by.
  for (const secret of left(relations.syncSecretsFor(child), kept.secrets)) {
    await client.delete(SecretKind, keyOf(secret), secret.metadata.uid);
  }
  for (const token of left(relations.syncTokensFor(child), kept.tokens)) {
    await client.delete(ClientTokenKind, keyOf(token), token.metadata.uid);
  }
}

function isOwned({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(isRegistry) === true;
}

function isRegistry({ kind, controller }: { readonly kind: string; readonly controller?: boolean }): boolean {
  return kind === ConnectedRegistryKind.kind && controller === true;
}

function madeFor(object: KubeObject): readonly NamespacedName[] {
  const child = childOf(object);
  return child === undefined ? [] : [child];
}

/** The ClientToken whose credentials `secret` holds, by its owner. */
function tokenOf({ metadata }: KubeObject): KubeObject | undefined {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === ClientTokenKind.kind);
  if (owner === undefined) return undefined;
  const { namespace = "" } = metadata;
  return { ...ClientTokenKind, metadata: { namespace, name: owner.name } };
}
