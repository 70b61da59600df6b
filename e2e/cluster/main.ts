import { Command, CommanderError } from "commander";
import { messageOf } from "../../common/errors.ts";
import { provide } from "../components/provide.ts";
import { terminalProgress } from "../terminal/terminal.ts";
import { canRunCluster } from "./can-run.ts";
import { down, stateOf, up } from "./cluster.ts";
import { isRunning } from "./daemon.ts";
import { clusterPrograms } from "./programs.ts";

const interrupted = new AbortController();
process.once("SIGINT", () => {
  interrupted.abort(new Error("interrupted; what had started is removed by the next `up`, or by `down`"));
});

const program = new Command("npm run cluster --")
  .description(
    "A real single-node Kubernetes, and a second site behind a link that can be cut, on this machine.",
  )
  .exitOverride();

for (const [verb, description, action] of [
  ["up", "start the cluster unless it is up", bringUp],
  ["down", "stop the cluster, and remove everything it made", takeDown],
  ["status", "say what there is of the cluster", status],
] as const) {
  program
    .command(verb)
    .description(description)
    .option("--name <name>", "which cluster; clusters with different names run side by side", "quickstart")
    .action(async ({ name }: { readonly name: string }) => action(name));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}

async function bringUp(name: string): Promise<void> {
  const obstacle = await canRunCluster();
  if (obstacle !== undefined) throw new Error(obstacle);
  const progress = terminalProgress();
  const { signal } = interrupted;
  const cluster = await up(name, provide(clusterPrograms, progress, signal), progress, signal);
  console.log(`\nexport KUBECONFIG=${cluster.kubeconfig}`);
}

async function takeDown(name: string): Promise<void> {
  const existed = await down(name, interrupted.signal);
  console.log(existed ? `Cluster ${name} is gone.` : `There is no cluster ${name}.`);
}

async function status(name: string): Promise<void> {
  const state = await stateOf(name);
  if (state === undefined) {
    console.log(`There is no cluster ${name}.`);
    return;
  }
  const { plan, daemons, trouble } = state;
  console.log(`Cluster ${name} is ${trouble === undefined ? "up" : `not usable: ${trouble}`}`);
  console.log(`export KUBECONFIG=${plan.kubeconfig}`);
  for (const daemon of daemons) {
    console.log(`${daemon.name.padEnd(24)} ${isRunning(daemon) ? "running" : "ended  "} ${daemon.log}`);
  }
}
