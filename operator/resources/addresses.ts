import { isIP } from "node:net";
import type { Service } from "../api/kubernetes.ts";

/** Where a registry is found, beside the names that its Service has by nature. Without ports. */
export interface Addresses {
  /** Of its Service, the preferred first: one for each family of addresses. */
  readonly cluster: readonly string[];
  /** Of what brings clients in from outside: addresses and names of a load balancer. */
  readonly external: readonly string[];
}

export const nowhere: Addresses = { cluster: [], external: [] };

/** A load balancer has one or two; more would make every certificate longer. */
const maxExternal = 16;
const hostname = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** `undefined` while the cluster has given the Service no address. */
export function addressesOf({ spec, status }: Service): Addresses | undefined {
  const cluster = (spec.clusterIPs ?? [spec.clusterIP ?? ""]).filter((address) => isIP(address) !== 0);
  if (cluster.length === 0) return undefined;
  const balancers = spec.type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  const external = balancers.flatMap(({ ip, hostname: name }) => {
    if (ip !== undefined && isIP(ip) !== 0) return [ip];
    return name !== undefined && name.length <= 253 && hostname.test(name) ? [name] : [];
  });
  // Whoever writes them need not keep their order; a certificate is not made anew for another order.
  return { cluster, external: [...new Set(external)].sort().slice(0, maxExternal) };
}
