import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { messageOf } from "../../common/errors.ts";
import { provide } from "../components/provide.ts";
import { terminalProgress } from "../terminal/terminal.ts";
import { cannotRunCluster } from "./can-run.ts";
import { down, stateOf, up } from "./cluster.ts";
import { isRunning } from "./daemon.ts";
import { type Link, linkOf } from "./link.ts";
import { clusterName } from "./plan.ts";
import { clusterPrograms } from "./programs.ts";

interface Options {
  readonly name: string;
}

const interrupted = new AbortController();
process.once("SIGINT", () => {
  interrupted.abort(new Error("interrupted; what had started is removed by the next `up`, or by `down`"));
});

const changes: Readonly<Record<string, (link: Link, megabits: number) => Promise<void>>> = {
  cut: (link) => link.cut(),
  "black-hole": (link) => link.blackHole(),
  slow: (link, megabits) => link.slow(megabits * 1_000_000),
  restore: (link) => link.restore(),
};

const program = new Command("npm run cluster --")
  .description(
    "A real single-node Kubernetes, and a second site behind a link that can be cut, on this machine.",
  )
  .exitOverride();
command("up", "start the cluster unless it is up").action(bringUp);
command("down", "stop the cluster, and remove everything it made").action(takeDown);
command("status", "say what there is of the cluster").action(tellStatus);
command("link", "change the link between the cluster and the parent site")
  .addArgument(new Argument("<change>", "what happens to it").choices(Object.keys(changes)))
  .option("--megabits <n>", "with slow: how much goes through in a second, each way", positive, 1)
  .action(changeLink);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}

function command(verb: string, description: string): Command {
  const name = new Option("--name <name>", "which cluster; several run side by side")
    .default("quickstart")
    .argParser(validName);
  return program.command(verb).description(description).addOption(name);
}

function validName(name: string): string {
  if (clusterName.test(name)) return name;
  throw new InvalidArgumentError("It is up to 30 lower-case letters, digits and dashes.");
}

function positive(text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It is a number above zero.");
}

async function bringUp({ name }: Options): Promise<void> {
  const obstacle = await cannotRunCluster();
  if (obstacle !== undefined) throw new Error(obstacle);
  const progress = terminalProgress();
  const { signal } = interrupted;
  const cluster = await up(name, provide(clusterPrograms, progress, signal), progress, signal);
  console.log(`\nexport KUBECONFIG=${cluster.kubeconfig}`);
}

async function takeDown({ name }: Options): Promise<void> {
  const existed = await down(name, interrupted.signal);
  console.log(existed ? `Cluster ${name} is gone.` : `There is no cluster ${name}.`);
}

async function tellStatus({ name }: Options): Promise<void> {
  const state = await stateOf(name);
  if (state === undefined) {
    console.log(`There is no cluster ${name}.`);
    return;
  }
  const { plan, daemons, trouble } = state;
  console.log(`Cluster ${name} is ${trouble === undefined ? "up" : `not usable: ${trouble}`}.\n`);
  for (const daemon of daemons) {
    console.log(`${daemon.name.padEnd(24)} ${isRunning(daemon) ? "running" : "ended  "}  ${daemon.log}`);
  }
  console.log(`\nexport KUBECONFIG=${plan.kubeconfig}`);
}

async function changeLink(change: string, { name, megabits }: Options & { megabits: number }): Promise<void> {
  const state = await stateOf(name);
  if (state === undefined) throw new Error(`There is no cluster ${name}.`);
  await changes[change]?.(linkOf(state.plan), megabits);
}
