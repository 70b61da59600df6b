import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runScript } from "./run-script.ts";
import type { Script } from "./script.ts";
import { readTrace, tracedCalls, type TracedEvent } from "./system-calls.ts";

/**
 * What the kernel saw of a process that runs `script` on a new store below `folder`.
 *
 * @param strace the path of the program
 */
export async function traceScript(
  strace: string,
  script: Script,
  folder: string,
): Promise<readonly TracedEvent[]> {
  const root = join(folder, "root");
  const output = join(folder, "trace");
  await mkdir(root);
  const under = [strace, "-f", "--seccomp-bpf", "-y", "-xx", "-s", "100000000", "-o", output];
  const run = { directory: join(root, "data"), script };
  await runScript(run, join(folder, "script.json"), {
    under: [...under, "-e", `trace=${tracedCalls.join(",")}`],
  });
  return readTrace(await readFile(output, "latin1"), root);
}
