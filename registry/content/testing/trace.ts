import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Script, ScriptRun } from "./script.ts";
import { readTrace, tracedCalls, type TracedEvent } from "./system-calls.ts";

const child = join(import.meta.dirname, "child.ts");

/** What a process wrote, and how it ended. */
export interface Ended {
  readonly told: string;
  readonly signal: NodeJS.Signals | null;
}

/** Runs a script in a process of its own. @throws if it ended in any way but well or by SIGKILL */
export async function runScript(
  run: ScriptRun,
  file: string,
  before: readonly string[] = [],
): Promise<Ended> {
  await writeFile(file, JSON.stringify(run));
  const [command, ...args] = [...before, process.execPath, "--no-warnings", child, file] as const;
  const started = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
    started.once("error", reject).once("close", (code, signal) => {
      resolve([code, signal]);
    });
  });
  const [told, complaint, [code, signal]] = await Promise.all([
    text(started.stdout),
    text(started.stderr),
    exited,
  ]);
  if (code !== 0 && signal !== "SIGKILL")
    throw new Error(`the process ended with ${code ?? signal}: ${complaint}`);
  return { told, signal };
}

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
  const calls = tracedCalls.join(",");
  const options = [
    "-f",
    "--seccomp-bpf",
    "-y",
    "-xx",
    "-s",
    "100000000",
    "-o",
    output,
    "-e",
    `trace=${calls}`,
  ];
  await runScript({ directory: join(root, "data"), script }, join(folder, "script.json"), [
    strace,
    ...options,
  ]);
  return readTrace(await readFile(output, "latin1"), root);
}
