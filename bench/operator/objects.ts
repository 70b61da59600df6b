import { randomBytes } from "node:crypto";
import { systemClock } from "../../common/clock.ts";
import { ClientTokenKind } from "../../operator/api/clienttoken.gen.ts";
import { ConnectedRegistryKind } from "../../operator/api/connectedregistry.gen.ts";
import {
  DeploymentKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  RoleBindingKind,
  RoleKind,
  SecretKind,
  ServiceAccountKind,
  ServiceKind,
} from "../../operator/api/kubernetes.ts";
import { ScopeMapKind } from "../../operator/api/scopemap.gen.ts";
import { SyncPolicyKind } from "../../operator/api/syncpolicy.gen.ts";
import { issueCa } from "../../operator/resources/certificates.ts";
import {
  caSecretName,
  claimName,
  configSecretName,
  credentialsSecretName,
  tlsSecretName,
  tokenSecretName,
} from "../../operator/resources/names.ts";
import { encode } from "../../operator/resources/secret-data.ts";
import {
  keyText,
  kindName,
  type Kind,
  type KubeObject,
  type NamespacedName,
} from "../../operator/runtime/kube.ts";
import type { OperatorScale } from "./scale.ts";

export interface Applied {
  readonly kind: Kind<KubeObject>;
  readonly object: KubeObject;
}

export const NamespaceKind: Kind<KubeObject> = {
  apiVersion: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

/** The keys of the registries: as many in each namespace. */
export function registryKeys({ registries, namespaces }: OperatorScale): readonly NamespacedName[] {
  return Array.from({ length: registries }, (_, i) => ({
    namespace: `site-${i % namespaces}`,
    name: `edge-${Math.floor(i / namespaces)}`,
  }));
}

/** What is there before the registries: namespaces, and the Secrets that a user brings. */
export async function groundOf(scale: OperatorScale): Promise<readonly Applied[]> {
  const { certificate } = await issueCa("Parent", systemClock.now(), randomBytes);
  return namespacesOf(scale).flatMap((namespace) => [
    { kind: NamespaceKind, object: { ...headOf(NamespaceKind), metadata: { name: namespace } } },
    secret(namespace, "parent", { username: "edge", password: randomBytes(24).toString("hex") }),
    secret(namespace, "parent-ca", { "ca.crt": certificate }),
  ]);
}

/** What is applied at once: registries with a parent, a sync policy and a client token of their own. */
export function wantedOf(scale: OperatorScale): readonly Applied[] {
  const shared = namespacesOf(scale).flatMap((namespace) => [
    applied(ScopeMapKind, { namespace, name: "site-pull" }, { actions: ["repositories/*/content/read"] }),
    applied(SyncPolicyKind, { namespace, name: "site-apps" }, { repositories: [{ name: "apps/*" }] }),
  ]);
  const own = registryKeys(scale).flatMap(({ namespace, name }) => [
    applied(ClientTokenKind, { namespace, name: tokenName(name) }, { scopeMapRef: { name: "site-pull" } }),
    applied(
      ConnectedRegistryKind,
      { namespace, name },
      {
        mode: "ReadOnly",
        parent: {
          registry: {
            loginServer: "registry.contoso.example",
            credentialsSecretRef: { name: "parent" },
            caBundleRef: { name: "parent-ca" },
          },
        },
        syncPolicyRef: { name: "site-apps" },
        clientTokenRefs: [{ name: tokenName(name) }],
        storage: { size: "5Gi" },
      },
    ),
  ]);
  return [...shared, ...own];
}

/** Everything that the operator makes for one registry and its token, as `kind namespace/name`. */
export function childrenOf({ namespace, name }: NamespacedName): readonly string[] {
  const same = [DeploymentKind, ServiceKind, ServiceAccountKind, RoleKind, RoleBindingKind, LeaseKind];
  const secrets = [
    caSecretName(name),
    tlsSecretName(name),
    configSecretName(name),
    tokenSecretName(name, tokenName(name)),
    credentialsSecretName(tokenName(name)),
  ];
  return [
    ...same.map((kind) => childText(kind, { namespace, name })),
    childText(PersistentVolumeClaimKind, { namespace, name: claimName(name) }),
    ...secrets.map((secretName) => childText(SecretKind, { namespace, name: secretName })),
  ];
}

/** The kinds of `childrenOf`. */
export const childKinds: readonly Kind<KubeObject>[] = [
  DeploymentKind,
  ServiceKind,
  ServiceAccountKind,
  RoleKind,
  RoleBindingKind,
  LeaseKind,
  PersistentVolumeClaimKind,
  SecretKind,
];

export function childText(kind: Kind<KubeObject>, key: NamespacedName): string {
  return `${kindName(kind)} ${keyText(key)}`;
}

function tokenName(registry: string): string {
  return `${registry}-puller`;
}

function namespacesOf({ namespaces }: OperatorScale): readonly string[] {
  return Array.from({ length: namespaces }, (_, i) => `site-${i}`);
}

function headOf(kind: Kind<KubeObject>): Pick<KubeObject, "apiVersion" | "kind"> {
  return { apiVersion: kind.apiVersion, kind: kind.kind };
}

/** As a user writes it: the API server fills in the defaults. */
function applied(kind: Kind<KubeObject>, metadata: NamespacedName, spec: object): Applied {
  return { kind, object: { ...headOf(kind), metadata, spec } as KubeObject };
}

function secret(namespace: string, name: string, data: Readonly<Record<string, string>>): Applied {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)]));
  return {
    kind: SecretKind,
    object: { ...headOf(SecretKind), metadata: { namespace, name }, data: encoded } as KubeObject,
  };
}
