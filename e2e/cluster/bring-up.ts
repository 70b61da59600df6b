import { Resolver } from "node:dns/promises";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../harness/command.ts";
import type { Progress } from "../terminal/progress.ts";
import { createCgroup } from "./cgroups.ts";
import { type ControlPlane, startControlPlane, writeSecret } from "./control-plane.ts";
import { type Daemon, type Program, startDaemon, untilReady } from "./daemon.ts";
import { applyDns } from "./dns.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { auditPolicy, clusterDomain } from "./kubernetes-config.ts";
import { Ledger } from "./ledger.ts";
import { type Machine, onMachine, prepareDisk, startMachine } from "./machine.ts";
import { createNetwork } from "./network.ts";
import { containerdProgram, ctr, NodePrograms } from "./node.ts";
import { type Authority, createAuthority } from "./pki.ts";
import { auditLog, type ClusterPlan, ports } from "./plan.ts";
import type { ProgramPaths } from "./programs.ts";
import { writeTinyImage } from "./tiny-image.ts";
import { applyVolumes, createVolumeDirectories } from "./volumes.ts";

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Makes the cluster of `plan`, of which nothing is there. Resolves with the number of its machine when the node is
 * ready and the cluster's DNS answers.
 *
 * @throws {ComponentError} with the end of its log, when a component ends or is not ready in time
 */
export async function bringUp(
  plan: ClusterPlan,
  paths: ProgramPaths,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const failed = new AbortController();
  try {
    return await new BringUp(plan, paths, progress, AbortSignal.any([signal, failed.signal])).run();
  } catch (error) {
    // What still goes on beside what failed must not start anything more.
    failed.abort(error);
    throw error;
  }
}

class BringUp {
  private readonly plan: ClusterPlan;
  private readonly paths: ProgramPaths;
  private readonly progress: Progress;
  private readonly signal: AbortSignal;
  private readonly ledger: Ledger;
  private readonly daemons: Daemon[] = [];

  constructor(plan: ClusterPlan, paths: ProgramPaths, progress: Progress, signal: AbortSignal) {
    this.plan = plan;
    this.paths = paths;
    this.progress = progress;
    this.signal = signal;
    this.ledger = new Ledger(plan.directory);
  }

  async run(): Promise<number> {
    const { plan, progress } = this;
    const [machine, authority] = await progress.step("Lay cables to two sites", () =>
      Promise.all([this.machine(), createAuthority(`cluster ${plan.name}`)]),
    );
    const [plane] = await Promise.all([
      this.step("Start etcd and the API server", ["etcd", "kube-apiserver"], () =>
        this.controlPlane(machine, authority),
      ),
      this.step("Start containerd", ["containerd", "containerd-shim-runc-v2", "ctr", "runc"], () =>
        this.containerRuntime(machine),
      ),
    ]);
    const node = new NodePrograms(plan, this.paths, plane, authority);
    await this.step("Start the node and the cluster's DNS", ["kubelet", "bridge", "coredns"], () =>
      this.node(machine, node, plane),
    );
    return machine.init;
  }

  /** Shown as begun when its programs are there: the time that they take to build is shown as theirs. */
  private async step<T>(
    title: string,
    needs: readonly (keyof ProgramPaths)[],
    work: () => Promise<T>,
  ): Promise<T> {
    await Promise.all(needs.map((name) => this.paths[name]));
    return this.progress.step(title, work);
  }

  private async machine(): Promise<Machine> {
    const { plan } = this;
    await prepareDisk(plan);
    await Promise.all([this.paths.ip, this.paths.iptables, createCgroup(plan.cgroup)]);
    await createNetwork(plan);
    return startMachine(plan, { PATH: systemPath }, (daemon) => this.record(daemon));
  }

  private async controlPlane(machine: Machine, authority: Authority): Promise<ControlPlane> {
    const { plan } = this;
    const directory = join(plan.directory, "control-plane");
    await mkdir(directory);
    const policy = join(directory, "audit-policy.json");
    await writeFile(policy, JSON.stringify(auditPolicy));
    const plane = await startControlPlane({
      directory,
      address: plan.edge.address,
      ports,
      serviceCidr: plan.serviceCidr,
      serviceAddress: plan.apiServiceAddress,
      authority,
      programs: this.paths,
      apiServerArgs: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog(plan)}`],
      start: (program) => this.start(machine, program),
    });
    await writeSecret(plan.directory, "kubeconfig", kubeconfigOf(plane.access, plan.name));
    await plane.untilReady(this.signal);
    return plane;
  }

  private async containerRuntime(machine: Machine): Promise<void> {
    const { plan, paths } = this;
    const program = await containerdProgram(plan, paths);
    const PATH = [dirname(await paths["containerd-shim-runc-v2"]), dirname(await paths.runc), systemPath];
    const containerd = await this.start(machine, { ...program, env: { PATH: PATH.join(":") } });
    const image = join(plan.directory, "busybox.tar");
    await writeTinyImage(await paths.busybox, image);
    const client = async (args: readonly string[]): Promise<string> => {
      const { command, args: all } = await ctr(paths, args);
      const onNode = onMachine(machine.init, command, all);
      return run(onNode.command, onNode.args);
    };
    await untilReady(containerd, [], () => client(["version"]), 30_000, this.signal);
    await client(["images", "import", image]);
  }

  private async node(machine: Machine, node: NodePrograms, plane: ControlPlane): Promise<void> {
    const { plan } = this;
    const start = async (program: Promise<Program>): Promise<Daemon> => this.start(machine, await program);
    await createVolumeDirectories(plan);
    const [kubelet] = await Promise.all([
      start(node.kubelet()),
      start(node.controllerManager()),
      start(node.scheduler()),
      start(node.proxy()),
      start(node.dns()),
      applyDns(plane.api, plan),
      applyVolumes(plane.api, plan),
    ]);
    await untilReady(kubelet, this.daemons, () => this.everythingAnswers(plane), 90_000, this.signal);
  }

  /** For the first moments some of it is expected not to. */
  private async everythingAnswers({ api }: ControlPlane): Promise<void> {
    const { plan } = this;
    const node = JSON.parse(await api.get(`/api/v1/nodes/${plan.nodeName}`)) as SeenNode;
    const ready = node.status.conditions?.find(({ type }) => type === "Ready");
    if (ready?.status !== "True") throw new Error(`the node is not ready: ${ready?.message ?? "no status"}`);
    if (node.spec.taints !== undefined) throw new Error("the node still has taints");
    // Without it, no pod is admitted.
    await api.get("/api/v1/namespaces/default/serviceaccounts/default");
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([plan.dnsAddress]);
    await resolver.resolve4(`kubernetes.default.svc.${clusterDomain}`);
  }

  private async start(machine: Machine, program: Program): Promise<Daemon> {
    this.signal.throwIfAborted();
    const onNode = onMachine(machine.init, program.command, program.args);
    const env = { PATH: systemPath, ...program.env };
    return this.record(await startDaemon({ ...program, ...onNode, env }, this.plan.logs));
  }

  private async record(daemon: Daemon): Promise<Daemon> {
    this.daemons.push(daemon);
    return this.ledger.record(daemon);
  }
}

interface SeenNode {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}
