import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { readMarks, type Mark, type ScriptRun } from "./script.ts";

const child = join(import.meta.dirname, "child.ts");

/** What a process told, and whether it was killed. */
export interface Ended {
  readonly marks: readonly Mark[];
  readonly killed: boolean;
}

export interface ScriptRunOptions {
  /** What the process is run by, such as `strace` with its options. */
  readonly under?: readonly string[];
  /** It is killed when it has told so much. */
  readonly killAfterMarks?: number;
}

/**
 * Runs a script in a process of its own.
 *
 * @param file where the process finds what to do
 * @throws if it ended in any way but well or by SIGKILL
 */
export async function runScript(
  run: ScriptRun,
  file: string,
  options: ScriptRunOptions = {},
): Promise<Ended> {
  await writeFile(file, JSON.stringify(run));
  const { under = [], killAfterMarks = Infinity } = options;
  const [command, ...args] = [...under, process.execPath, "--no-warnings", child, file] as const;
  const started = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
    started.once("error", reject).once("close", (code, signal) => {
      resolve([code, signal]);
    });
  });
  let told = "";
  started.stdout.setEncoding("utf8").on("data", (piece: string) => {
    told += piece;
    if (told.split("\n").length > killAfterMarks) started.kill("SIGKILL");
  });
  const [complaint, [code, signal]] = await Promise.all([text(started.stderr), exited]);
  if (code !== 0 && signal !== "SIGKILL") {
    throw new Error(`the process ended with ${code ?? signal ?? "nothing"}: ${complaint}`);
  }
  return { marks: readMarks(told), killed: signal === "SIGKILL" };
}
