/** What containerd has to know of the machine it runs on. */
export interface ContainerdSettings {
  /** `overlayfs`, or `native` on a disk that overlay mounts cannot lie on. */
  readonly snapshotter: "overlayfs" | "native";
  readonly sandboxImage: string;
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly certsDir: string;
  /** Without CAP_SYS_RESOURCE no process may be made less likely to be killed for memory than its parent. */
  readonly restrictOomScore: boolean;
}

export const containerdSocket = "/run/containerd/containerd.sock";

const unused = [
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
] as const;

/** `config.toml` of containerd 2 (version 3). JSON's strings, booleans and lists are TOML's. */
export function containerdConfig(settings: ContainerdSettings): string {
  const value = JSON.stringify;
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ${value(unused)}

[grpc]
  address = ${value(containerdSocket)}

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = ${value(settings.snapshotter)}
  max_concurrent_downloads = 3

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = ${value(settings.sandboxImage)}

[plugins."io.containerd.cri.v1.images".registry]
  config_path = ${value(settings.certsDir)}

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = ${value(settings.restrictOomScore)}

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ${value([settings.cniBinDir])}
  conf_dir = ${value(settings.cniConfDir)}

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

/** A bridge for the pods of the one node, and host ports. */
export function podNetworkConfig(podCidr: string): object {
  return {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isDefaultGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: "host-local", ranges: [[{ subnet: podCidr }]], dataDir: "/run/cni" },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}
