import { join } from "node:path";

/** Where everything of a named cluster is: a function of its name and of the number it got, so that two never meet. */
export interface ClusterPlan {
  readonly name: string;
  /** Everything the cluster keeps on disk, for root only. */
  readonly directory: string;
  readonly logs: string;
  readonly kubeconfig: string;
  readonly nodeName: string;
  /** The cgroup that holds the cgroups of all pods, as a path in each hierarchy. */
  readonly cgroup: string;
  /** Two hosts, each a network namespace. */
  readonly edge: Site;
  readonly parent: Site;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The Service of the API server, and that of the cluster's DNS. */
  readonly apiServiceAddress: string;
  readonly dnsAddress: string;
}

export interface Site {
  readonly namespace: string;
  /** The host's end of a cable between host and site: the user's way in, which no test cuts. */
  readonly hostInterface: string;
  readonly hostEnd: string;
  /** The site's address on that cable. The node's address. */
  readonly address: string;
  /** The site's address on the WAN: the link between the two sites, which tests cut. */
  readonly wanAddress: string;
}

/** Inside a site: the interface to the host, and the one to the other site. */
export const interfaces = { host: "eth0", wan: "wan0" } as const;
/** Every cable is a subnet of 16 addresses. */
export const cablePrefix = 28;

export const parentHost = "registry.contoso.example";
export const ports = { api: 6443, etcd: 2379, etcdPeer: 2380, parent: 5000 } as const;

/** How many clusters there can be at once. */
export const clusterCount = 64;

/** A name becomes part of the names of namespaces, cgroups and directories. */
export const clusterName = /^[a-z][a-z0-9-]{0,29}$/;

/** @param index which of the networks it has, 0 to `clusterCount` - 1 */
export function planOf(name: string, index: number, root: string): ClusterPlan {
  const directory = join(root, name);
  const cable = (last: number): string => `10.213.${index}.${last}`;
  const service = (last: number): string => `10.215.${index}.${last}`;
  return {
    name,
    directory,
    logs: join(directory, "logs"),
    kubeconfig: join(directory, "kubeconfig"),
    nodeName: `${name}-node`,
    cgroup: `connected-registry-${name}`,
    edge: {
      namespace: `cr-${name}-edge`,
      hostInterface: `cr${index}-edge`,
      hostEnd: cable(14),
      address: cable(1),
      wanAddress: cable(33),
    },
    parent: {
      namespace: `cr-${name}-parent`,
      hostInterface: `cr${index}-parent`,
      hostEnd: cable(30),
      address: cable(17),
      wanAddress: cable(34),
    },
    podCidr: `10.214.${index}.0/24`,
    serviceCidr: service(0) + "/24",
    apiServiceAddress: service(1),
    dnsAddress: service(10),
  };
}

/** The API server's audit log. */
export function auditLog({ logs }: ClusterPlan): string {
  return `${logs}/audit.log`;
}
