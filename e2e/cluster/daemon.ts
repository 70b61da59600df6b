import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode, messageOf } from "../../common/errors.ts";

/** How to start a program. The environment is exactly `env`: nothing of ours leaks into a cluster's processes. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that outlives the program that started it. Pid and start time together name it for ever. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly started: string;
  readonly log: string;
}

/** A component ended, or did not become ready. The message holds the last lines of its log. */
class ComponentError extends Error {
  override readonly name = "ComponentError";
}

/** Starts `program` with its output appended to `<logs>/<name>.log`. */
export async function startDaemon(program: Program, logs: string): Promise<Daemon> {
  const log = join(logs, `${program.name}.log`);
  const output = await open(log, "a");
  try {
    const child = spawn(program.command, program.args, {
      cwd: "/",
      env: { ...program.env },
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
    });
    await once(child, "spawn");
    child.unref();
    const pid = Number(child.pid);
    return { name: program.name, pid, started: startTimeOf(pid) ?? "ended at once", log };
  } finally {
    await output.close();
  }
}

/** Whether exactly this process still runs: a reused pid is another process. */
export function isRunning(daemon: Pick<Daemon, "pid" | "started">): boolean {
  return startTimeOf(daemon.pid) === daemon.started;
}

/** Ends the process, by force after `graceMs`, and resolves once it is gone. */
export async function stopDaemon(daemon: Pick<Daemon, "pid" | "started">, graceMs: number): Promise<void> {
  const forceAt = performance.now() + graceMs;
  if (graceMs > 0) signal(daemon, "SIGTERM");
  while (isRunning(daemon)) {
    if (performance.now() >= forceAt) signal(daemon, "SIGKILL");
    await delay(20);
  }
}

/** Waits for the process to end by itself, at most `timeoutMs`: after that it simply resolves. */
export async function untilEnded(daemon: Pick<Daemon, "pid" | "started">, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (isRunning(daemon) && performance.now() < giveUpAt) await delay(20);
}

/**
 * Resolves once `probe` of `daemon` resolves (its rejections mean: not yet).
 *
 * @throws {ComponentError} when it, or one of those it `needs`, ends, or after `timeoutMs`.
 */
export async function untilReady(
  daemon: Daemon,
  needs: readonly Daemon[],
  probe: () => Promise<unknown>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  let reason = "";
  for (;;) {
    signal?.throwIfAborted();
    const ended = [...needs, daemon].find((each) => !isRunning(each));
    if (ended !== undefined) throw new ComponentError(`${ended.name} ended${await lastLines(ended)}`);
    try {
      await probe();
      return;
    } catch (error) {
      reason = messageOf(error);
    }
    if (performance.now() > giveUpAt) {
      const waited = Math.round(timeoutMs / 1000);
      throw new ComponentError(
        `${daemon.name} was not ready after ${waited} s (${reason})${await lastLines(daemon)}`,
      );
    }
    await delay(50, undefined, { signal });
  }
}

async function lastLines({ log }: Daemon): Promise<string> {
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n").slice(-15);
  return `; the end of ${log}:\n${lines.map((line) => `    ${line.slice(0, 500)}`).join("\n")}`;
}

function signal(daemon: Pick<Daemon, "pid" | "started">, name: "SIGTERM" | "SIGKILL"): void {
  if (!isRunning(daemon)) return;
  try {
    process.kill(daemon.pid, name);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

/** `undefined` when there is no such process, or it is a zombie. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startTimeByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in parentheses, may itself hold spaces and parentheses.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ESRCH")) return undefined;
    throw error;
  }
}

function startTimeByPs(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}
