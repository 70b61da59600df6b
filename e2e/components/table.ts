import type { Bundle, Platform, Release } from "./bundle.ts";

const kubernetes = "1.34.4";
const etcd = "3.6.8";
const containerd = "2.2.9";
const cni = "1.9.1";
const distribution = "3.1.2";
const crane = "0.20.7";
const helm = "4.0.5";
const coredns = "1.13.1";
const regctl = "0.11.7";
const cosign = "3.1.3";

const kubernetesPrograms = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;
const containerdPrograms = ["containerd", "containerd-shim-runc-v2", "ctr"] as const;
const cniPrograms = ["bridge", "host-local", "loopback", "portmap"] as const;
const cniPackages = "github.com/containernetworking/plugins/plugins";

/**
 * The components that are built or downloaded, in the order in which a cluster needs them. The first is the quickest
 * to build and the second what most of the rest shares its packages with. Clients that only tests use come last: no
 * cluster waits for them.
 */
export const bundles = [
  {
    name: "etcd",
    version: etcd,
    programs: ["etcd"],
    build: { packages: ["go.etcd.io/etcd/server/v3"], file: "etcd" },
    releases: (platform) => [etcdRelease(platform)],
  },
  {
    name: "kubernetes",
    version: kubernetes,
    programs: kubernetesPrograms,
    build: {
      packages: ["./kubernetes"],
      file: "kubernetes",
      // Without these, clients see version 0.0.0.
      variables: {
        "k8s.io/component-base/version.gitVersion": `v${kubernetes}`,
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": "34",
        "k8s.io/client-go/pkg/version.gitVersion": `v${kubernetes}`,
      },
    },
    releases: ({ os, arch }) =>
      kubernetesPrograms.map((program) => {
        const url = `https://dl.k8s.io/release/v${kubernetes}/bin/${os}/${arch}/${program}`;
        return { url, checksumUrl: `${url}.sha256`, program };
      }),
  },
  {
    name: "containerd",
    version: containerd,
    programs: containerdPrograms,
    build: {
      packages: containerdPrograms.map((program) => `github.com/containerd/containerd/v2/cmd/${program}`),
      variables: { "github.com/containerd/containerd/v2/version.Version": `v${containerd}` },
    },
    releases: ({ os, arch }) => {
      const url = `${releases("containerd/containerd", containerd)}/containerd-${containerd}-${os}-${arch}.tar.gz`;
      return [{ url, checksumUrl: `${url}.sha256sum`, members: inFolder("bin/", containerdPrograms) }];
    },
  },
  {
    name: "cni",
    version: cni,
    programs: cniPrograms,
    build: {
      packages: [
        `${cniPackages}/main/bridge`,
        `${cniPackages}/ipam/host-local`,
        `${cniPackages}/main/loopback`,
        `${cniPackages}/meta/portmap`,
      ],
      variables: { "github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion": `v${cni}` },
    },
    releases: ({ os, arch }) => {
      const url = `${releases("containernetworking/plugins", cni)}/cni-plugins-${os}-${arch}-v${cni}.tgz`;
      return [{ url, checksumUrl: `${url}.sha256`, members: inFolder("", cniPrograms) }];
    },
  },
  {
    name: "distribution",
    version: distribution,
    programs: ["registry"],
    build: {
      packages: ["./registry"],
      variables: { "github.com/distribution/distribution/v3/version.version": `v${distribution}` },
    },
    releases: ({ os, arch }) => {
      const url = `${releases("distribution/distribution", distribution)}/registry_${distribution}_${os}_${arch}.tar.gz`;
      return [{ url, checksumUrl: `${url}.sha256`, members: inFolder("", ["registry"]) }];
    },
  },
  {
    name: "crane",
    version: crane,
    programs: ["crane"],
    build: {
      packages: ["github.com/google/go-containerregistry/cmd/crane"],
      variables: { "github.com/google/go-containerregistry/cmd/crane/cmd.Version": crane },
    },
    releases: (platform) => [craneRelease(platform)],
  },
  {
    name: "coredns",
    version: coredns,
    programs: ["coredns"],
    build: { packages: ["./coredns"] },
    releases: ({ os, arch }) => {
      const url = `${releases("coredns/coredns", coredns)}/coredns_${coredns}_${os}_${arch}.tgz`;
      return [{ url, checksumUrl: `${url}.sha256`, members: inFolder("", ["coredns"]) }];
    },
  },
  {
    name: "helm",
    version: helm,
    programs: ["helm"],
    build: {
      packages: ["helm.sh/helm/v4/cmd/helm"],
      // The Kubernetes version is what charts are rendered for when there is no cluster to ask.
      variables: {
        "helm.sh/helm/v4/internal/version.version": `v${helm}`,
        "helm.sh/helm/v4/internal/version.kubeClientVersionMajor": "1",
        "helm.sh/helm/v4/internal/version.kubeClientVersionMinor": "34",
        "helm.sh/helm/v4/pkg/chart/common.k8sVersionMajor": "1",
        "helm.sh/helm/v4/pkg/chart/common.k8sVersionMinor": "34",
        "helm.sh/helm/v4/pkg/chart/v2/lint/rules.k8sVersionMajor": "1",
        "helm.sh/helm/v4/pkg/chart/v2/lint/rules.k8sVersionMinor": "34",
      },
    },
    releases: ({ os, arch }) => {
      const url = `https://get.helm.sh/helm-v${helm}-${os}-${arch}.tar.gz`;
      return [{ url, checksumUrl: `${url}.sha256sum`, members: { helm: `${os}-${arch}/helm` } }];
    },
  },
  {
    name: "regctl",
    version: regctl,
    programs: ["regctl"],
    build: {
      module: "go-clients",
      packages: ["github.com/regclient/regclient/cmd/regctl"],
      variables: { "github.com/regclient/regclient/internal/version.vcsTag": `v${regctl}` },
    },
    // There are programs to download, but no checksums: only signatures.
    releases: () => [],
  },
  {
    name: "cosign",
    version: cosign,
    programs: ["cosign"],
    build: {
      module: "go-clients",
      packages: ["./cosign"],
      variables: { "sigs.k8s.io/release-utils/version.gitVersion": `v${cosign}` },
    },
    releases: ({ os, arch }) => {
      const base = releases("sigstore/cosign", cosign);
      const url = `${base}/cosign-${os}-${arch}`;
      return [{ url, checksumUrl: `${base}/cosign_checksums.txt`, program: "cosign" }];
    },
  },
] as const satisfies readonly Bundle[];

export type BuiltProgram = (typeof bundles)[number]["programs"][number];

function releases(repository: string, version: string): string {
  return `https://github.com/${repository}/releases/download/v${version}`;
}

function etcdRelease({ os, arch }: Platform): Release {
  const base = releases("etcd-io/etcd", etcd);
  const name = `etcd-v${etcd}-${os}-${arch}`;
  return {
    url: `${base}/${name}.tar.gz`,
    checksumUrl: `${base}/SHA256SUMS`,
    members: { etcd: `${name}/etcd` },
  };
}

function craneRelease({ os, arch }: Platform): Release {
  const base = releases("google/go-containerregistry", crane);
  const system = `${os.charAt(0).toUpperCase()}${os.slice(1)}_${arch === "amd64" ? "x86_64" : arch}`;
  return {
    url: `${base}/go-containerregistry_${system}.tar.gz`,
    checksumUrl: `${base}/checksums.txt`,
    members: { crane: "crane" },
  };
}

function inFolder(folder: string, programs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(programs.map((program) => [program, folder + program]));
}
