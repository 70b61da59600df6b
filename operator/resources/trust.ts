import { isIP } from "node:net";
import {
  trustConfigMap,
  trustListName,
  trustListsAnnotation,
  type TrustEntry,
} from "../../common/contract/trust.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { ConfigMap } from "../api/kubernetes.ts";
import type { Addresses } from "./addresses.ts";
import { isFor } from "./certificate-facts.ts";
import { hostOf, hostsOf, loginServerOf, managedBy, servicePortOf, withPort } from "./names.ts";

/** One registry that nodes are to trust. */
export interface TrustedRegistry {
  readonly registry: ConnectedRegistry;
  readonly addresses: Addresses;
  /** What it serves with, and the authorities by which clients trust that, in PEM; absent if it talks in the clear. */
  readonly encryption?: { readonly certificate: string; readonly authorities: string };
}

/**
 * The names under which nodes may know `registry`: those that its namespace gives it by nature, its address in the
 * cluster, and its login server and addresses outside if an administrator allows them. Whoever may make a ConnectedRegistry could otherwise have every node
 * fetch docker.io from it.
 *
 * @param allowed hosts, or `*.` and a domain
 */
function trustedHosts(
  registry: ConnectedRegistry,
  addresses: Addresses,
  allowed: readonly string[],
): readonly string[] {
  const refused = refusedLoginServer(registry, allowed);
  return hostsOf(registry, addresses).filter((host) => {
    if (host === loginServerOf(registry)) return host !== refused;
    const name = hostOf(host);
    // The names of images have no place for an IPv6 address.
    if (isIP(name) === 6) return false;
    // A name without a dot is a path on Docker Hub, and <name>.<namespace> may be somebody's on the internet (docker.io).
    if (isOwnName(registry, host) || addresses.cluster.includes(name)) return true;
    return addresses.external.includes(name) && isAllowed(host, allowed);
  });
}

/** The login server of its own choice that nodes are not told of, since no administrator allows it. */
export function refusedLoginServer(
  registry: ConnectedRegistry,
  allowed: readonly string[],
): string | undefined {
  const loginServer = loginServerOf(registry);
  return isOwnName(registry, loginServer) || isAllowed(loginServer, allowed) ? undefined : loginServer;
}

/** Whether `loginServer` is a name that the Service of `registry` has by nature; nodes do not find those by themselves. */
export function isOwnName({ metadata }: ConnectedRegistry, loginServer: string): boolean {
  const own = `${metadata.name}.${metadata.namespace ?? ""}`;
  return [`${own}.svc`, `${own}.svc.cluster.local`].includes(hostOf(loginServer));
}

function isAllowed(loginServer: string, allowed: readonly string[]): boolean {
  const host = hostOf(loginServer);
  return allowed.some((one) => (one.startsWith("*.") ? host.endsWith(one.slice(1)) : one === host));
}

/** Where nodes reach it: at its address, unless its certificate is for names alone. */
function serverOf({ registry, addresses, encryption }: TrustedRegistry, allowed: readonly string[]): string {
  const [address = ""] = addresses.cluster;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  if (encryption === undefined) return `http://${withPort(host, servicePortOf(registry))}`;
  const loginServer = loginServerOf(registry);
  const named = !isOwnName(registry, loginServer) && refusedLoginServer(registry, allowed) === undefined;
  if (named && !isFor(encryption.certificate, address)) return `https://${loginServer}`;
  return `https://${withPort(host, servicePortOf(registry))}`;
}

function entryOf(trusted: TrustedRegistry, allowed: readonly string[]): TrustEntry {
  const { registry, addresses, encryption } = trusted;
  const hosts = [...trustedHosts(registry, addresses, allowed)];
  const server = serverOf(trusted, allowed);
  const ca = encryption?.authorities ?? "";
  return ca === "" ? { version: 2, hosts, server } : { version: 1, hosts, server, ca };
}

/** What node agents are told of `registries`, by the key of each. */
export function trustEntries(
  registries: readonly TrustedRegistry[],
  allowed: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(
    registries.map((trusted): [string, string] => {
      const { namespace = "", name } = trusted.registry.metadata;
      return [`${namespace}.${name}`, JSON.stringify(entryOf(trusted, allowed))];
    }),
  );
}

/** The list number `at` of `count`, in `namespace`. */
export function desiredTrustList(
  entries: ReadonlyMap<string, string>,
  { at, count, namespace }: { readonly at: number; readonly count: number; readonly namespace: string },
): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: trustListName(trustConfigMap, at),
      namespace,
      labels: {
        "app.kubernetes.io/name": "connected-registry",
        "app.kubernetes.io/managed-by": managedBy,
      },
      ...(at === 0 ? { annotations: { [trustListsAnnotation]: String(count) } } : {}),
    },
    data: Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
