import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { SecretKind, type Secret } from "../api/kubernetes.ts";
import { clientTokenLabel, credentialsSecretName } from "../resources/names.ts";
import { passwordNames } from "../resources/passwords.ts";
import { claimOf } from "../resources/storage.ts";
import { keyOf, keyText, type KubeObject, type KubeWatcher, type NamespacedName } from "../runtime/kube.ts";

/** Who refers to what, from the watch caches. A reference never leaves its namespace (S46). */
export interface Relations {
  /** Those that refer to the Secret, or to a token whose credentials it holds. */
  readonly registriesWithSecret: (secret: KubeObject) => readonly ConnectedRegistry[];
  readonly registriesWithPolicy: (policy: KubeObject) => readonly ConnectedRegistry[];
  readonly registriesWithToken: (token: KubeObject) => readonly ConnectedRegistry[];
  readonly tokensWithScopeMap: (scopeMap: KubeObject) => readonly ClientToken[];
  /** Those that take a password from the Secret. */
  readonly tokensWithSecret: (secret: KubeObject) => readonly ClientToken[];
  /** Those that keep their content on the same claim, itself among them. */
  readonly registriesOnVolumeOf: (registry: ConnectedRegistry) => readonly ConnectedRegistry[];
  /** The Secrets that tell `registry` of its client tokens. */
  readonly tokenSecretsOf: (registry: ConnectedRegistry) => readonly Secret[];
}

export function relationsIn(watcher: Pick<KubeWatcher, "index">): Relations {
  const bySecret = watcher.index(ConnectedRegistryKind, (registry) => keysOf(registry, secretsOf(registry)));
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
  const byOwner = watcher.index(SecretKind, ({ metadata }) =>
    metadata.labels?.[clientTokenLabel] === undefined
      ? []
      : (metadata.ownerReferences ?? []).map(({ uid }) => uid),
  );
  const keyed =
    <T>(lookup: (key: string) => readonly T[]) =>
    (object: KubeObject) =>
      lookup(keyText(keyOf(object)));
  return {
    registriesWithSecret: keyed(bySecret),
    registriesWithPolicy: keyed(byPolicy),
    registriesWithToken: keyed(byToken),
    tokensWithScopeMap: keyed(byScopeMap),
    tokensWithSecret: keyed(byTokenSecret),
    registriesOnVolumeOf: (registry) => byVolume(volumeOf(registry)),
    tokenSecretsOf: ({ metadata }) => (metadata.uid === undefined ? [] : byOwner(metadata.uid)),
  };
}

/** The names of the client tokens that `registry` lets in. */
export function tokensOf({ spec }: ConnectedRegistry): readonly string[] {
  return (spec.clientTokenRefs ?? []).map(({ name }) => name);
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

function secretsOf(registry: ConnectedRegistry): readonly (string | undefined)[] {
  const parent = registry.spec.parent?.registry;
  return [
    parent?.credentialsSecretRef?.name,
    parent?.caBundleRef?.name,
    parent?.proxy?.credentialsSecretRef?.name,
    ...tokensOf(registry).map(credentialsSecretName),
  ];
}

function keysOf({ metadata }: KubeObject, names: readonly (string | undefined)[]): readonly string[] {
  const namespace = metadata.namespace ?? "";
  return names.flatMap((name) => (name === undefined ? [] : [keyText({ namespace, name })]));
}
