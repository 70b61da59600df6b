import { join } from "node:path";

/** The real programs a cluster is made of. */
export type Binary =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy"
  | "containerd"
  | "containerd-shim-runc-v2"
  | "ctr"
  | "coredns"
  | "registry";

export async function binary(name: Binary): Promise<string> {
  return join("/tmp/team/bin", name);
}
