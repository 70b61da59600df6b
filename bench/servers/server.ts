import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { readFile, writeFile } from "node:fs/promises";
import {
  type Daemon,
  isRunning,
  type Program,
  startDaemon,
  stopDaemon,
  untilReady,
} from "../../e2e/cluster/daemon.ts";

/** A server that runs on this machine. */
export interface Server {
  /** Such as `http://127.0.0.1:21234`. */
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const stopping: (() => Promise<void>)[] = [];

/**
 * Starts `program`, and waits until `probe` is answered with any status below 500.
 *
 * @param logs the folder for its output
 */
export async function startServer(
  program: Program,
  url: string,
  probe: string,
  logs: string,
  signal: AbortSignal,
): Promise<Server> {
  const daemon = await startOwn(program, logs);
  const stop = (): Promise<void> => stopDaemon(daemon, 10_000);
  try {
    await untilReady(daemon, [], () => answers(probe), 60_000, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: daemon.pid, stop };
}

/** Starts `program` and waits for nothing; `stopAll` ends it if nobody else does. */
export async function startOwn(program: Program, logs: string): Promise<Daemon> {
  const daemon = await startDaemon(program, logs);
  stopping.push(() => stopDaemon(daemon, 10_000));
  return daemon;
}

/** Ends whatever was started and still runs: an interrupted benchmark leaves nothing behind. */
export async function stopAll(): Promise<void> {
  await Promise.all(stopping.map((stop) => stop()));
}

/** How long from the start of `program` until `probe` is answered with 200, in milliseconds. */
export async function timeToReady(program: Program, probe: string, logs: string): Promise<number> {
  const start = performance.now();
  const daemon: Daemon = await startDaemon(program, logs);
  try {
    while (isRunning(daemon)) {
      if ((await statusOf(probe).catch(() => 0)) === 200) return performance.now() - start;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${program.name} ended: see ${daemon.log}`);
  } finally {
    await stopDaemon(daemon, 10_000);
  }
}

/** Resident memory now, and the most since the last call of `forgetPeak`, in MiB. */
export async function memoryOf({
  pid,
}: Pick<Server, "pid">): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "mu").exec(status)?.[1]) / 1024;
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Counts the peak of resident memory from now on. */
export async function forgetPeak({ pid }: Server): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

async function answers(probe: string): Promise<void> {
  const status = await statusOf(probe);
  if (status >= 500) throw new Error(`it answers ${status}`);
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, rejectUnauthorized: false };
    const sent = (url.startsWith("https:") ? getSecurely : get)(url, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
  });
}
