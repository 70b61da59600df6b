import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { parentKeyOf, relativesOf, type Kinship } from "../resources/family.ts";
import {
  childAnnotation,
  clientTokenLabel,
  credentialsSecretName,
  tlsSecretName,
} from "../resources/names.ts";
import { passwordNames } from "../resources/passwords.ts";
import { claimOf } from "../resources/storage.ts";
import { keyOf, keyText, type KubeObject, type KubeWatcher, type NamespacedName } from "../runtime/kube.ts";

/**
 * Who refers to what, from the watch caches. A reference never leaves its namespace (S46), but for that to a parent, which
 * has to let its children in.
 */
export interface Relations {
  /** Those that refer to the Secret, or to a token or parent whose credentials or certificate it holds. */
  readonly registriesWithSecret: (secret: KubeObject) => readonly ConnectedRegistry[];
  readonly registriesWithPolicy: (policy: KubeObject) => readonly ConnectedRegistry[];
  readonly registriesWithToken: (token: KubeObject) => readonly ConnectedRegistry[];
  /** Those whose sync tokens the ScopeMap bounds. */
  readonly registriesWithScopeMap: (scopeMap: KubeObject) => readonly ConnectedRegistry[];
  /** Those that log in to their parent with this ClientToken, or would. */
  readonly registriesWithSyncToken: (token: KubeObject) => readonly ConnectedRegistry[];
  readonly tokensWithScopeMap: (scopeMap: KubeObject) => readonly ClientToken[];
  /** Those that take a password from the Secret. */
  readonly tokensWithSecret: (secret: KubeObject) => readonly ClientToken[];
  /** Those that keep their content on the same claim, itself among them. */
  readonly registriesOnVolumeOf: (registry: ConnectedRegistry) => readonly ConnectedRegistry[];
  /** The Secrets that tell `registry` of its client tokens. */
  readonly tokenSecretsOf: (registry: ConnectedRegistry) => readonly Secret[];
  /** The sync tokens that were made for the registry of this key, wherever its parent is or was. */
  readonly syncTokensFor: (child: NamespacedName) => readonly ClientToken[];
  /** The Secrets that tell a parent, present or former, of them. */
  readonly syncSecretsFor: (child: NamespacedName) => readonly Secret[];
  readonly kinship: Kinship;
  /** All registries that hang together with `registry`. */
  readonly relatives: (registry: ConnectedRegistry) => readonly ConnectedRegistry[];
}

export function relationsIn(watcher: Pick<KubeWatcher, "index">): Relations {
  const bySecret = watcher.index(ConnectedRegistryKind, secretsOf);
  const byPolicy = watcher.index(ConnectedRegistryKind, (registry) =>
    keysOf(registry, [registry.spec.syncPolicyRef?.name]),
  );
  const byToken = watcher.index(ConnectedRegistryKind, (registry) => keysOf(registry, tokensOf(registry)));
  const byScopeMap = watcher.index(ClientTokenKind, (token) => keysOf(token, [token.spec.scopeMapRef?.name]));
  const byTokenSecret = watcher.index(ClientTokenKind, (token) =>
    keysOf(
      token,
      passwordNames.map((name) => token.spec.passwords[name].secretRef?.name),
    ),
  );
  const volumeOf = (registry: ConnectedRegistry): string =>
    keyText({ namespace: registry.metadata.namespace ?? "", name: claimOf(registry) });
  const byVolume = watcher.index(ConnectedRegistryKind, (registry) => [volumeOf(registry)]);
  const bounded = watcher.index(ConnectedRegistryKind, (registry) =>
    keysOf(registry, [
      registry.spec.parent?.scopeMapRef?.name,
      ...(registry.spec.children?.allowedNamespaces ?? []).map(({ scopeMapRef }) => scopeMapRef?.name),
    ]),
  );
  const bySyncToken = watcher.index(ConnectedRegistryKind, (registry) => {
    const token = syncTokenOf(registry);
    return token === undefined ? [] : [keyText(token)];
  });
  const byOwner = watcher.index(SecretKind, ({ metadata }) =>
    metadata.labels?.[clientTokenLabel] === undefined
      ? []
      : (metadata.ownerReferences ?? []).map(({ uid }) => uid),
  );
  const kinship = kinshipIn(watcher);
  const keyed =
    <T>(lookup: (key: string) => readonly T[]) =>
    (object: KubeObject) =>
      lookup(keyText(keyOf(object)));
  const tokensForChild = watcher.index(ClientTokenKind, childrenOf);
  const secretsForChild = watcher.index(SecretKind, childrenOf);
  return {
    registriesWithSecret: keyed(bySecret),
    registriesWithPolicy: keyed(byPolicy),
    registriesWithToken: keyed(byToken),
    registriesWithScopeMap: keyed(bounded),
    registriesWithSyncToken: keyed(bySyncToken),
    tokensWithScopeMap: keyed(byScopeMap),
    tokensWithSecret: keyed(byTokenSecret),
    registriesOnVolumeOf: (registry) => byVolume(volumeOf(registry)),
    tokenSecretsOf: ({ metadata }) => (metadata.uid === undefined ? [] : byOwner(metadata.uid)),
    syncTokensFor: (child) => tokensForChild(keyText(child)),
    syncSecretsFor: (child) => secretsForChild(keyText(child)),
    kinship,
    relatives: (registry) => relativesOf(registry, kinship),
  };
}

/** The names of the client tokens that `registry` lets in. */
export function tokensOf({ spec }: ConnectedRegistry): readonly string[] {
  return (spec.clientTokenRefs ?? []).map(({ name }) => name);
}

/** The ClientToken with which `registry` logs in to a parent that is another ConnectedRegistry, if it names one. */
export function syncTokenOf({ metadata, spec }: ConnectedRegistry): NamespacedName | undefined {
  const ref = spec.parent?.connectedRegistryRef;
  if (ref === undefined) return undefined;
  return { namespace: ref.namespace ?? metadata.namespace ?? "", name: metadata.name };
}

/** The registry that an object was made for, as it says itself: nothing that grants anything. */
export function childOf(object: KubeObject | undefined): NamespacedName | undefined {
  const [namespace, name] = object?.metadata.annotations?.[childAnnotation]?.split("/") ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The keys of what `related` finds for either side of a change. */
export function keysRelated<T extends KubeObject>(
  related: (object: T) => readonly KubeObject[],
): (before: T | undefined, after: T | undefined) => readonly NamespacedName[] {
  return (before, after) => {
    const object = after ?? before;
    return object === undefined ? [] : related(object).map(keyOf);
  };
}

/** The keys of all that hangs together with a registry that appeared, went, or is to be something else. */
export function keysOfRelatives({
  relatives,
}: Relations): (
  before: ConnectedRegistry | undefined,
  after: ConnectedRegistry | undefined,
) => readonly NamespacedName[] {
  return (before, after) => {
    const [was, is] = [before?.metadata, after?.metadata];
    const same = was?.generation === is?.generation && was?.deletionTimestamp === is?.deletionTimestamp;
    if (same && was?.uid === is?.uid) return [];
    return [before, after].flatMap((one) => (one === undefined ? [] : relatives(one).map(keyOf)));
  };
}

function kinshipIn(watcher: Pick<KubeWatcher, "index">): Kinship {
  const byKey = watcher.index(ConnectedRegistryKind, (registry) => [keyText(keyOf(registry))]);
  const byParent = watcher.index(ConnectedRegistryKind, (registry) => {
    const parent = parentKeyOf(registry);
    return parent === undefined ? [] : [parent];
  });
  return { find: (key) => byKey(key)[0], naming: byParent };
}

function secretsOf(registry: ConnectedRegistry): readonly string[] {
  const parent = registry.spec.parent?.registry;
  const { connectedRegistryRef } = registry.spec.parent ?? {};
  const token = syncTokenOf(registry);
  return [
    ...keysOf(registry, [
      parent?.credentialsSecretRef?.name,
      parent?.caBundleRef?.name,
      parent?.proxy?.credentialsSecretRef?.name,
      registry.spec.tls.secretRef?.name,
      ...tokensOf(registry).map(credentialsSecretName),
    ]),
    ...(connectedRegistryRef === undefined || token === undefined
      ? []
      : [credentialsSecretName(token.name), tlsSecretName(connectedRegistryRef.name)].map((name) =>
          keyText({ namespace: token.namespace, name }),
        )),
  ];
}

function childrenOf(object: KubeObject): readonly string[] {
  const child = childOf(object);
  return child === undefined ? [] : [keyText(child)];
}

function keysOf({ metadata }: KubeObject, names: readonly (string | undefined)[]): readonly string[] {
  const namespace = metadata.namespace ?? "";
  return names.flatMap((name) => (name === undefined ? [] : [keyText({ namespace, name })]));
}
