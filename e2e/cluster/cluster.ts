import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../common/clock.ts";
import { hasCode, messageOf } from "../../common/errors.ts";
import { withLock } from "../components/lock.ts";
import { cacheFolder } from "../components/provide.ts";
import { run } from "../harness/command.ts";
import type { Progress } from "../terminal/progress.ts";
import { bringUp } from "./bring-up.ts";
import { claimedIndex, claimIndex, releaseIndex } from "./claims.ts";
import { type Daemon, isRunning } from "./daemon.ts";
import { kubeApi } from "./kube-api.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { Ledger } from "./ledger.ts";
import { type Link, linkOf } from "./link.ts";
import { onMachine } from "./machine.ts";
import { removeNamespaceFolder } from "./network.ts";
import { ctr } from "./node.ts";
import { auditLog, clusterName, type ClusterPlan, planOf } from "./plan.ts";
import type { ProgramPaths } from "./programs.ts";
import { stopCluster, takeDown } from "./take-down.ts";
import { recycleVolumes } from "./volumes.ts";

/** Where clusters live on this machine. */
const clustersRoot = "/var/lib/connected-registry/clusters";

/** A real single-node Kubernetes at one site, a second site, and the link between them. */
export interface Cluster {
  readonly plan: ClusterPlan;
  /** Path of an administrator's kubeconfig; its server is reached from this machine. */
  readonly kubeconfig: string;
  /** The API server's audit log, one JSON object a line. */
  readonly auditLog: string;
  readonly link: Link;
  /** Makes the node have the images of an OCI layout (a folder or a tar file), under the names written in it. */
  loadImage(layout: string): Promise<void>;
  /** Runs a command on the node: with its network, its files and its resolver. */
  run(command: string, args: readonly string[]): Promise<string>;
}

export interface ClusterState {
  readonly plan: ClusterPlan;
  /** The number of its machine, once it came up. */
  readonly init: number | undefined;
  readonly daemons: readonly Daemon[];
  /** Why it cannot be used, or `undefined` when it can. */
  readonly trouble: string | undefined;
}

/**
 * The cluster called `name`, brought up unless it is. What an earlier run of the same name left behind is removed
 * first; two runs at once wait for each other.
 *
 * @throws {ComponentError} the parts that came up are stopped then; their logs stay until the next `up` or `down`
 */
export async function up(
  name: string,
  paths: ProgramPaths,
  progress: Progress,
  signal: AbortSignal,
): Promise<Cluster> {
  return exclusively(name, signal, async () => {
    const before = await stateOf(name);
    if (before?.init !== undefined && before.trouble === undefined) {
      // A run that was killed while the link was cut does not come back for it.
      await linkOf(before.plan).restore();
      await recycleVolumes(kubeApi(await readKubeconfig(before.plan.kubeconfig)), before.plan);
      return clusterOf(before.plan, before.init, paths);
    }
    const plan = planOf(name, await claimIndex(clustersRoot, name), clustersRoot);
    if (before !== undefined) await progress.step("Clear what an earlier run left", () => takeDown(plan));
    await mkdir(plan.logs, { recursive: true, mode: 0o700 });
    try {
      const init = await bringUp(plan, paths, progress, signal);
      await writeFile(readyFile(plan), String(init));
      return clusterOf(plan, init, paths);
    } catch (error) {
      await stopCluster(plan);
      throw error;
    }
  });
}

/** Removes everything that `up` made. Not an error when there is no such cluster: answers whether there was one. */
export async function down(name: string, signal: AbortSignal): Promise<boolean> {
  return exclusively(name, signal, async () => {
    const index = await claimedIndex(clustersRoot, name);
    if (index === undefined) return false;
    await takeDown(planOf(name, index, clustersRoot));
    await releaseIndex(clustersRoot, index);
    await removeNamespaceFolder();
    return true;
  });
}

/** What there is of the cluster called `name`, or `undefined` when there is nothing. */
export async function stateOf(name: string): Promise<ClusterState | undefined> {
  const index = await claimedIndex(clustersRoot, checkedName(name));
  if (index === undefined) return undefined;
  const plan = planOf(name, index, clustersRoot);
  const daemons = await new Ledger(plan.directory).daemons();
  const init = await readInit(plan);
  return { plan, init, daemons, trouble: await troubleOf(plan, init, daemons) };
}

async function troubleOf(
  plan: ClusterPlan,
  init: number | undefined,
  daemons: readonly Daemon[],
): Promise<string | undefined> {
  if (init === undefined) return "it did not come up";
  const ended = daemons.filter((daemon) => !isRunning(daemon)).map((daemon) => daemon.name);
  if (ended.length > 0) return `no longer running: ${ended.join(", ")}`;
  try {
    await kubeApi(await readKubeconfig(plan.kubeconfig)).get("/readyz");
    return undefined;
  } catch (error) {
    return `its API server does not answer: ${messageOf(error)}`;
  }
}

function clusterOf(plan: ClusterPlan, init: number, paths: ProgramPaths<"ctr">): Cluster {
  const onNode = (command: string, args: readonly string[]): Promise<string> => {
    const program = onMachine(init, command, args);
    return run(program.command, program.args, { timeoutMs: 120_000 });
  };
  return {
    plan,
    kubeconfig: plan.kubeconfig,
    auditLog: auditLog(plan),
    link: linkOf(plan),
    run: onNode,
    async loadImage(layout) {
      const { command, args } = await ctr(paths, ["images", "import"]);
      if ((await stat(layout)).isFile()) await onNode(command, [...args, layout]);
      else {
        const script = 'cd "$1" && shift && tar -cf - . | "$@" -';
        await onNode("sh", ["-c", script, "sh", layout, command, ...args]);
      }
    },
  };
}

/** Exists once the cluster came up, and holds the number of its machine. */
function readyFile({ directory }: ClusterPlan): string {
  return join(directory, "ready");
}

/** `undefined` when the cluster did not come up. */
async function readInit(plan: ClusterPlan): Promise<number | undefined> {
  try {
    return Number(await readFile(readyFile(plan), "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function checkedName(name: string): string {
  if (clusterName.test(name)) return name;
  throw new Error(`a cluster's name is up to 30 lower-case letters, digits and dashes, not "${name}"`);
}

/** One `up` or `down` of a name at a time. The lock is not the cluster's file: it outlives it. */
async function exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const folder = cacheFolder(process.env);
  await mkdir(folder, { recursive: true });
  const lock = join(folder, `.lock-cluster-${checkedName(name)}`);
  return withLock(lock, systemClock, signal, () => undefined, work);
}
