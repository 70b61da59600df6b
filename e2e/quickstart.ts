import { parseArgs } from "node:util";
import { systemClock } from "../common/clock.ts";
import { messageOf } from "../common/errors.ts";
import { cannotRunCluster } from "./cluster/can-run.ts";
import { down, stateOf } from "./cluster/cluster.ts";
import { findExecutable, searchPath } from "./components/executable.ts";
import { installInto } from "./story/existing-cluster.ts";
import { play, setStage } from "./story/stage.ts";
import { epilogue, story } from "./story/story.ts";
import { names } from "./story/world.ts";
import { terminalProgress } from "./terminal/terminal.ts";

const help = `A working connected registry on a real Kubernetes, in one command.

Usage: npm run quickstart [-- OPTIONS]

  (nothing)         bring up a cluster and a parent registry at another site, install, sync, start a workload,
                    cut the link and restore it; the cluster stays up. Running it again is safe.
  --down            tell the end of the story (delete and uninstall), then remove every process, mount, namespace
                    and file that the quickstart made
  --context NAME    install into the existing cluster of this kubectl context instead
  --image REF       with --context: the image, where the cluster's nodes can pull it
                    (npm run image -- --push REF puts it there)
  --help            say this
`;

const cluster = "quickstart";
const progress = terminalProgress();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop.abort(new Error("interrupted"));
  });
}

interface Options {
  readonly down?: boolean;
  readonly context?: string;
  readonly image?: string;
  readonly help?: boolean;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseArgs({
      options: {
        down: { type: "boolean" },
        context: { type: "string" },
        image: { type: "string" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return wrongUsage(messageOf(error));
  }
  if (options.help === true) {
    process.stdout.write(help);
    return 0;
  }
  if (options.context !== undefined) {
    if (options.image === undefined)
      return wrongUsage("--context needs --image REF: say where the cluster finds the image.");
    console.log(await installInto(options.context, options.image, progress, stop.signal));
    return 0;
  }
  if (options.image !== undefined) return wrongUsage("--image goes with --context.");
  const cannot = await cannotRunCluster();
  if (cannot !== undefined) {
    console.error(cannot);
    return 1;
  }
  return options.down === true ? takeDown() : bringUp();
}

async function bringUp(): Promise<number> {
  const start = systemClock.now();
  const { world, cluster: made } = await setStage(cluster, progress, stop.signal);
  for (const chapter of story) {
    stop.signal.throwIfAborted();
    await play(chapter, world, progress);
  }
  const kubectl = (await onPath("kubectl")) ? "kubectl" : world.kubectl.path;
  const table = await world.kubectl.run(["get", "connectedregistries", "-n", names.namespace, "-o", "wide"]);
  console.log(`
${table}
Done in ${systemClock.now().diff(start).toFormat("m:ss")}. The cluster stays up. Try:

  export KUBECONFIG=${made.kubeconfig}
  ${kubectl} get connectedregistries -A
  ${kubectl} describe connectedregistry ${names.registry} -n ${names.namespace}
  npm run cluster -- link cut --name ${cluster}     (watch CONNECTION STATE; "link restore" brings it back)

Remove everything: npm run quickstart -- --down`);
  return 0;
}

async function takeDown(): Promise<number> {
  const state = await stateOf(cluster);
  if (state === undefined) {
    console.log("There is nothing to remove.");
    return 0;
  }
  if (state.trouble === undefined) {
    const { world } = await setStage(cluster, progress, stop.signal);
    // A story that was interrupted has no proper end; what is left of it goes with the cluster.
    await play(epilogue, world, progress).catch((error: unknown) => {
      console.error(
        `The end of the story did not come true, removing the cluster anyway: ${messageOf(error)}`,
      );
    });
  }
  await progress.step("Remove the cluster", () => down(cluster, stop.signal));
  return 0;
}

async function onPath(program: string): Promise<boolean> {
  return (await findExecutable(program, searchPath(process.env.PATH))) !== undefined;
}

function wrongUsage(message: string): number {
  process.stderr.write(`${message}\n\n${help}`);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\nThe quickstart failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
