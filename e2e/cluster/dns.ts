import { clusterDomain } from "./kubernetes-config.ts";
import type { KubeApi } from "./kube-api.ts";
import { type ClusterPlan, parentHost } from "./plan.ts";

/** CoreDNS's user name, as its client certificate says it. */
export const dnsUser = "system:coredns";

/**
 * CoreDNS's configuration. It knows the cluster and the parent by themselves and asks nobody else: what the edge
 * resolves does not depend on the link.
 */
export function corefile(plan: ClusterPlan, kubeconfig: string): string {
  return `.:53 {
    errors
    ready 127.0.0.1:8181
    hosts {
        ${plan.parent.wanAddress} ${parentHost}
        ttl 5
        fallthrough
    }
    kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
        kubeconfig ${kubeconfig}
        ttl 5
    }
    loadbalance
}
`;
}

/** The Service under which pods ask CoreDNS, which is a process of the node, and CoreDNS's right to see Services. */
export async function applyDns(api: KubeApi, { dnsAddress, edge }: ClusterPlan): Promise<void> {
  const service = "kube-dns";
  const namespace = "kube-system";
  const ports = (["UDP", "TCP"] as const).map((protocol) => ({
    name: `dns-${protocol.toLowerCase()}`,
    port: 53,
    protocol,
  }));
  const rbac = "rbac.authorization.k8s.io";
  await Promise.all([
    api.apply(`/apis/${rbac}/v1/clusterroles/${dnsUser}`, {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name: dnsUser },
      rules: [
        { apiGroups: [""], resources: ["services", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    }),
    api.apply(`/apis/${rbac}/v1/clusterrolebindings/${dnsUser}`, {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: dnsUser },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: dnsUser },
      subjects: [{ apiGroup: rbac, kind: "User", name: dnsUser }],
    }),
    api.apply(`/api/v1/namespaces/${namespace}/services/${service}`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: service, namespace },
      spec: { clusterIP: dnsAddress, ports },
    }),
    api.apply(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${service}`, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: service, namespace, labels: { "kubernetes.io/service-name": service } },
      addressType: "IPv4",
      endpoints: [{ addresses: [edge.address], conditions: { ready: true } }],
      ports,
    }),
  ]);
}
