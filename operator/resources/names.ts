import { isIP } from "node:net";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "../runtime/kube.ts";
import type { Addresses } from "./addresses.ts";

/** Names of the objects that belong to a ConnectedRegistry. */
export const claimName = (registry: string): string => `${registry}-data`;
export const tlsSecretName = (registry: string): string => `${registry}-tls`;
export const caSecretName = (registry: string): string => `${registry}-ca`;
export const configSecretName = (registry: string): string => `${registry}-config`;
export const tokenSecretName = (registry: string, token: string): string => `${registry}-token-${token}`;

/** The Secret by which `registry` knows the sync token of its child of this name. */
export const syncSecretName = (registry: string, child: string): string => `${registry}-sync-${child}`;

/** The Secret with the user name and passwords of a ClientToken. */
export const credentialsSecretName = (token: string): string => `${token}-credentials`;

/** Needs no mention in the name of an image. */
const httpsPort = 443;
const httpPort = 80;

export const managedBy = "connected-registry-operator";

/** On the Secret that tells a registry of a client token: which one. */
export const clientTokenLabel = "connectedregistry.io/client-token";

/** On a sync token, and on the Secret that tells the parent of it: the registry that it is for, as `namespace/name`. */
export const childAnnotation = "connectedregistry.io/child";

/** On the same objects: the name of that registry. */
export const syncTokenLabel = "connectedregistry.io/sync-token";

/** A fresh value asks the registry to sync now. */
export const resyncAnnotation = "connectedregistry.io/resync";

/** A fresh value asks the registry what a sync would bring. */
export const planAnnotation = "connectedregistry.io/plan";

/** A fresh value replaces that password of a ClientToken. */
export const rotateAnnotation = (password: string): string => `connectedregistry.io/rotate-${password}`;

/** On the Secret with the passwords: the last such value that was met, and when the password was made. */
export const rotatedAnnotation = (password: string): string => `connectedregistry.io/rotated-${password}`;
export const createdAnnotation = (password: string): string => `connectedregistry.io/created-${password}`;

/** The labels by which everything of one registry is found; the Service selects its pod by the first two. */
export function labelsOf(registry: string): Readonly<Record<string, string>> {
  return { ...selectorOf(registry), "app.kubernetes.io/managed-by": managedBy };
}

export function selectorOf(registry: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": "connected-registry", "app.kubernetes.io/instance": registry };
}

/** The metadata of an object called `name` that lives and dies with `registry`. */
export function ownedMeta(registry: ConnectedRegistry, name: string): ObjectMeta {
  return {
    name,
    namespace: registry.metadata.namespace ?? "",
    labels: labelsOf(registry.metadata.name),
    ownerReferences: [ownerReference(registry, ConnectedRegistryKind)],
  };
}

/** @throws {RangeError} if `owner` was not read from a cluster. */
export function ownerReference(
  { metadata }: KubeObject,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): OwnerReference {
  if (metadata.uid === undefined) throw new RangeError(`${kind} ${metadata.name} has no uid`);
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whether clients reach it by HTTPS. */
export function isEncrypted({ spec }: Pick<ConnectedRegistry, "spec">): boolean {
  return spec.tls.source !== "Disabled";
}

/** The port that clients use. */
export function servicePortOf({ spec }: ConnectedRegistry): number {
  return spec.service.port ?? (isEncrypted({ spec }) ? httpsPort : httpPort);
}

/** The host name that image names begin with, with a port if it is not 443. */
export function loginServerOf(registry: ConnectedRegistry): string {
  const { metadata, spec } = registry;
  return (
    spec.service.loginServer ??
    withPort(`${metadata.name}.${metadata.namespace ?? ""}.svc.cluster.local`, servicePortOf(registry))
  );
}

/** `host`, and `host:port` if it is another than that of HTTPS. An IPv6 address is put in brackets for it. */
export function withPort(host: string, port: number): string {
  return port === httpsPort ? host : `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** `host` of `host` and `host:port`; an address is its own host. */
export function hostOf(loginServer: string): string {
  if (isIP(loginServer) !== 0) return loginServer;
  return loginServer.replace(/:[0-9]+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** Every name and address of the registry, the preferred first: what clients may call it, and its certificate is for. */
export function hostsOf(registry: ConnectedRegistry, addresses: Addresses): readonly string[] {
  const { name, namespace = "" } = registry.metadata;
  const port = servicePortOf(registry);
  const hosts = [
    `${name}.${namespace}.svc.cluster.local`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}`,
    name,
    ...addresses.cluster,
    ...addresses.external,
  ];
  return [...new Set([loginServerOf(registry), ...hosts.map((host) => withPort(host, port))])];
}
