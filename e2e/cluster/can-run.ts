import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { run } from "../harness/command.ts";

const instead =
  "run the registry alone with `npx connected-registry serve --help`, or use a cluster that you have " +
  "with `npm run quickstart -- --context NAME`";

/** `undefined` where a cluster can run; elsewhere one sentence that says why it cannot, and what to do instead. */
export async function cannotRunCluster(): Promise<string | undefined> {
  const reason = await obstacle();
  return reason === undefined ? undefined : `A cluster cannot run here, since ${reason}: ${instead}.`;
}

async function obstacle(): Promise<string | undefined> {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.getuid?.() !== 0) return "it needs root (try sudo)";
  const mayIsolate = run("unshare", ["--mount", "--pid", "--net", "--fork", "--mount-proc", "true"]);
  if (!(await succeeds(mayIsolate))) return "root may not make namespaces (a container without privileges?)";
  if (!(await succeeds(access("/sys/fs/cgroup", constants.W_OK)))) return "control groups are read-only";
  return undefined;
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
