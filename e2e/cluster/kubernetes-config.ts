import { containerdSocket } from "./containerd-config.ts";
import type { ClusterPlan } from "./plan.ts";

export const clusterDomain = "cluster.local";
/** Empty. The default lies outside of what a machine has for itself. */
export const volumePlugins = "/var/lib/kubelet/volume-plugins";

/** The kubelet's configuration file. */
export function kubeletConfig(plan: ClusterPlan, pki: string): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: plan.edge.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${pki}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${pki}/kubelet.crt`,
    tlsPrivateKeyFile: `${pki}/kubelet.key`,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDNS: [plan.dnsAddress],
    clusterDomain,
    resolvConf: "/etc/resolv.conf",
    volumePluginDir: volumePlugins,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${plan.cgroup}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    serializeImagePulls: false,
    // The disk is shared with the rest of the machine: how full it is says nothing about this node.
    evictionHard: {
      "memory.available": "50Mi",
      "nodefs.available": "1%",
      "nodefs.inodesFree": "1%",
      "imagefs.available": "1%",
      "imagefs.inodesFree": "1%",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
}

/** kube-proxy's configuration file. */
export function kubeProxyConfig(plan: ClusterPlan, kubeconfig: string, bridged: boolean): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    bindAddress: plan.edge.address,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    clientConnection: { kubeconfig },
    clusterCIDR: plan.podCidr,
    detectLocalMode: "ClusterCIDR",
    hostnameOverride: plan.nodeName,
    nodePortAddresses: [`${plan.edge.address}/32`],
    // Zero leaves the kernel's tables as they are: their size is the whole machine's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    // Where bridged packets bypass the firewall, answers must be made to come back through the node.
    iptables: { masqueradeAll: !bridged, minSyncPeriod: "100ms", syncPeriod: "30s" },
  };
}

/** Who did what with what kind of object: for finding rights that a role lacks, or has in vain. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};
