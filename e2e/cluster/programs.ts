import type { ComponentName } from "../components/provide.ts";

/** What a cluster with a parent is made of. */
export const clusterPrograms = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "bridge",
  "coredns",
  "registry",
  "runc",
  "ip",
  "tc",
  "iptables",
  "conntrack",
  "busybox",
] as const satisfies readonly ComponentName[];

type ClusterProgram = (typeof clusterPrograms)[number];

/** The path of each program, as soon as it is there: what does not need a program that is still built goes ahead. */
export type ProgramPaths<Name extends ClusterProgram = ClusterProgram> = Readonly<
  Record<Name, Promise<string>>
>;
