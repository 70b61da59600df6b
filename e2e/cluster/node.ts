import { existsSync } from "node:fs";
import { mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { containerdConfig, containerdSocket, podNetworkConfig } from "./containerd-config.ts";
import { type ControlPlane, writeIdentity, writeSecret } from "./control-plane.ts";
import type { Program } from "./daemon.ts";
import { corefile, dnsUser } from "./dns.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { kubeletConfig, kubeProxyConfig, volumePlugins } from "./kubernetes-config.ts";
import { certsDir } from "./machine.ts";
import type { Authority, Subject } from "./pki.ts";
import type { ClusterPlan } from "./plan.ts";
import type { ProgramPaths } from "./programs.ts";
import { tinyImage } from "./tiny-image.ts";

/** Writes what containerd reads. It needs no API server. */
export async function containerdProgram(plan: ClusterPlan, programs: ProgramPaths): Promise<Program> {
  const directory = nodeDirectory(plan);
  await mkdir(join(directory, "cni"), { recursive: true });
  await writeFile(join(directory, "cni", "10-pods.conflist"), JSON.stringify(podNetworkConfig(plan.podCidr)));
  const config = join(directory, "containerd.toml");
  await writeFile(
    config,
    containerdConfig({
      snapshotter: (await liesOnOverlay(plan.directory)) ? "native" : "overlayfs",
      sandboxImage: tinyImage,
      cniBinDir: dirname(await programs.bridge),
      cniConfDir: join(directory, "cni"),
      certsDir,
      restrictOomScore: !(await mayRaisePriority()),
    }),
  );
  return { name: "containerd", command: await programs.containerd, args: ["--config", config] };
}

/** What the programs that talk to the API server are told, and by which name they are known. */
export class NodePrograms {
  private readonly plan: ClusterPlan;
  private readonly paths: ProgramPaths;
  private readonly plane: ControlPlane;
  private readonly authority: Authority;

  constructor(plan: ClusterPlan, paths: ProgramPaths, plane: ControlPlane, authority: Authority) {
    this.plan = plan;
    this.paths = paths;
    this.plane = plane;
    this.authority = authority;
  }

  async controllerManager(): Promise<Program> {
    const name = "kube-controller-manager";
    const kubeconfig = await this.kubeconfig(name, { commonName: `system:${name}` });
    return {
      name,
      command: await this.paths[name],
      args: [
        `--kubeconfig=${kubeconfig}`,
        `--service-account-private-key-file=${this.plane.serviceAccountKeyFile}`,
        `--root-ca-file=${join(this.plane.directory, "ca.crt")}`,
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        // The default makes each of its controllers wait for the others' first requests: four seconds in all.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        `--flex-volume-plugin-dir=${volumePlugins}`,
      ],
    };
  }

  async scheduler(): Promise<Program> {
    const name = "kube-scheduler";
    const kubeconfig = await this.kubeconfig(name, { commonName: `system:${name}` });
    const args = [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--bind-address=127.0.0.1"];
    return { name, command: await this.paths[name], args };
  }

  async kubelet(): Promise<Program> {
    const name = "kubelet";
    const { nodeName, edge } = this.plan;
    const subject = { commonName: `system:node:${nodeName}`, groups: ["system:nodes"] };
    const kubeconfig = await this.kubeconfig(name, subject);
    // Without its own address in its certificate, `kubectl logs` and `kubectl exec` fail.
    const server = { commonName: nodeName, dnsNames: [nodeName], addresses: [edge.address] };
    await writeIdentity(this.plane.directory, name, await this.authority.issue(server));
    const config = await this.file("kubelet.json", kubeletConfig(this.plan, this.plane.directory));
    const args = [
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${edge.address}`,
    ];
    return { name, command: await this.paths.kubelet, args };
  }

  async proxy(): Promise<Program> {
    const name = "kube-proxy";
    const kubeconfig = await this.kubeconfig(name, { commonName: `system:${name}` });
    const bridged = existsSync("/proc/sys/net/bridge");
    const config = await this.file(`${name}.json`, kubeProxyConfig(this.plan, kubeconfig, bridged));
    return { name, command: await this.paths[name], args: [`--config=${config}`] };
  }

  async dns(): Promise<Program> {
    const name = "coredns";
    const kubeconfig = await this.kubeconfig(name, { commonName: dnsUser });
    const config = await this.file("Corefile", corefile(this.plan, kubeconfig));
    return { name, command: await this.paths.coredns, args: ["-conf", config] };
  }

  private async kubeconfig(name: string, subject: Subject): Promise<string> {
    const access = { ...this.plane.access, client: await this.authority.issue(subject) };
    const file = `${name}.kubeconfig`;
    await writeSecret(nodeDirectory(this.plan), file, kubeconfigOf(access, this.plan.name));
    return join(nodeDirectory(this.plan), file);
  }

  private async file(name: string, content: string | object): Promise<string> {
    const path = join(nodeDirectory(this.plan), name);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
    return path;
  }
}

/** The configuration of the node's programs. */
function nodeDirectory({ directory }: ClusterPlan): string {
  return join(directory, "node");
}

/** Command and arguments that speak to the node's containerd as Kubernetes does. */
export async function ctr(
  programs: ProgramPaths<"ctr">,
  args: readonly string[],
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  return {
    command: await programs.ctr,
    args: ["--address", containerdSocket, "--namespace", "k8s.io", ...args],
  };
}

const overlayType = 0x79_4c_76_30;

async function liesOnOverlay(directory: string): Promise<boolean> {
  return (await statfs(directory)).type === overlayType;
}

const sysResource = 1n << 24n;

/** Whether we have CAP_SYS_RESOURCE. */
async function mayRaisePriority(): Promise<boolean> {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${effective}`) & sysResource) !== 0n;
}
