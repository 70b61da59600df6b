import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { removeCgroup } from "./cgroups.ts";
import { startTimeOf, stopDaemon, untilEnded } from "./daemon.ts";
import { Ledger } from "./ledger.ts";
import { machineName } from "./machine.ts";
import { processesAt, removeNetwork } from "./network.ts";
import type { ClusterPlan } from "./plan.ts";

/** Removes everything of the cluster, however far it came and however it ended. */
export async function takeDown(plan: ClusterPlan): Promise<void> {
  await stopCluster(plan);
  await rm(plan.directory, { recursive: true, force: true });
}

/**
 * Removes every process, mount, namespace, interface and cgroup of the cluster; its files stay.
 *
 * Mounts and containers need no list of their own: they are inside the machine, and end with its first process.
 */
export async function stopCluster(plan: ClusterPlan): Promise<void> {
  const daemons = await new Ledger(plan.directory).daemons();
  const machine = daemons.find(({ name }) => name === machineName);
  if (machine !== undefined) {
    await stopDaemon(machine, 0);
    // What ran in it is ended; who waited for that outside is left to clear it away.
    await Promise.all(daemons.map((daemon) => untilEnded(daemon, 5_000)));
  }
  await Promise.all(daemons.map((daemon) => stopDaemon(daemon, 0)));
  // What runs at the parent site, and what was started but not yet recorded when its run was killed: known by the
  // namespace, which bears the cluster's name.
  for (const site of [plan.edge, plan.parent]) {
    for (const pid of await processesAt(site)) await kill(pid);
    while ((await processesAt(site)).length > 0) await delay(20);
  }
  await removeNetwork(plan);
  await removeCgroup(plan.cgroup);
}

async function kill(pid: number): Promise<void> {
  const started = startTimeOf(pid);
  if (started !== undefined) await stopDaemon({ pid, started }, 0);
}
