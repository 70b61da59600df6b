import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, type Program, untilReady } from "./daemon.ts";
import { kubeApi, type KubeApi } from "./kube-api.ts";
import type { ApiAccess } from "./kubeconfig.ts";
import { type Authority, createSigningKey, type Identity } from "./pki.ts";
import type { ProgramPaths } from "./programs.ts";

export interface ControlPlaneOptions {
  /** An existing directory of its own: etcd's data, keys and certificates. */
  readonly directory: string;
  /** The address the API server listens on, and under which its certificate is valid. */
  readonly address: string;
  readonly ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  readonly serviceCidr: string;
  /** The first address of `serviceCidr`: the API server's own Service. */
  readonly serviceAddress: string;
  readonly authority: Authority;
  readonly apiServerArgs: readonly string[];
  readonly programs: ProgramPaths<"etcd" | "kube-apiserver">;
  /** Starts a program where the control plane is to run. */
  readonly start: (program: Program) => Promise<Daemon>;
}

export interface ControlPlane {
  /** As in the options; holds `ca.crt`. */
  readonly directory: string;
  readonly access: ApiAccess;
  readonly api: KubeApi;
  /** The key that signs service account tokens. */
  readonly serviceAccountKeyFile: string;
  readonly daemons: readonly Daemon[];
  /** @throws {ComponentError} when etcd or the API server ends, or is not ready in time. */
  untilReady(signal?: AbortSignal): Promise<void>;
}

/** Starts etcd and kube-apiserver. Both run when this resolves; `untilReady` waits until they answer. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { authority, directory, address, ports, programs, start } = options;
  const [server, kubeletClient, client] = await Promise.all([
    authority.issue(apiServerSubject(options)),
    authority.issue({ commonName: "kube-apiserver", groups: ["system:masters"] }),
    authority.issue({ commonName: "admin", groups: ["system:masters"] }),
    writeSecret(directory, "service-account.key", createSigningKey()),
    writeFile(join(directory, "ca.crt"), authority.certPem),
  ]);
  await Promise.all([
    writeIdentity(directory, "kube-apiserver", server),
    writeIdentity(directory, "kubelet-client", kubeletClient),
  ]);
  const [etcd, apiServer] = await Promise.all([
    programs.etcd.then((command) => start({ name: "etcd", command, args: etcdArgs(options) })),
    programs["kube-apiserver"].then((command) =>
      start({ name: "kube-apiserver", command, args: apiServerArgs(options) }),
    ),
  ]);
  const access: ApiAccess = { server: `https://${address}:${ports.api}`, caPem: authority.certPem, client };
  const api = kubeApi(access);
  return {
    directory,
    access,
    api,
    serviceAccountKeyFile: join(directory, "service-account.key"),
    daemons: [apiServer, etcd],
    untilReady: (signal) => untilReady(apiServer, [etcd], () => api.get("/readyz"), 60_000, signal),
  };
}

/** Writes `<name>.crt` and `<name>.key`; the key is for its owner only. */
export async function writeIdentity(directory: string, name: string, identity: Identity): Promise<void> {
  await writeFile(join(directory, `${name}.crt`), identity.certPem);
  await writeSecret(directory, `${name}.key`, identity.keyPem);
}

/** Writes a file that only its owner may read. */
export async function writeSecret(directory: string, name: string, content: string): Promise<void> {
  await writeFile(join(directory, name), content, { mode: 0o600 });
}

function apiServerSubject({
  address,
  serviceAddress,
}: ControlPlaneOptions): Parameters<Authority["issue"]>[0] {
  return {
    commonName: "kube-apiserver",
    dnsNames: [
      "localhost",
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
    ],
    addresses: [...new Set([address, "127.0.0.1", serviceAddress])],
  };
}

function etcdArgs({ directory, ports }: ControlPlaneOptions): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${join(directory, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The data is made anew by each `up`; waiting for the disk buys nothing.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

function apiServerArgs(options: ControlPlaneOptions): readonly string[] {
  const { directory, address, ports, serviceCidr } = options;
  const file = (name: string): string => join(directory, name);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${ports.api}`,
    `--service-cluster-ip-range=${serviceCidr}`,
    `--tls-cert-file=${file("kube-apiserver.crt")}`,
    `--tls-private-key-file=${file("kube-apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    `--kubelet-client-certificate=${file("kubelet-client.crt")}`,
    `--kubelet-client-key=${file("kubelet-client.key")}`,
    `--kubelet-certificate-authority=${file("ca.crt")}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${file("service-account.key")}`,
    `--service-account-signing-key-file=${file("service-account.key")}`,
    "--authorization-mode=Node,RBAC",
    "--allow-privileged",
    "--profiling=false",
    ...options.apiServerArgs,
  ];
}
