import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress, Report } from "../e2e/terminal/progress.ts";
import { LoadClient } from "./clients/load.ts";
import type { LineResult } from "./line.ts";
import type { Programs } from "./programs.ts";
import { stopAll } from "./servers/server.ts";

/** How much is done. */
export interface Scale {
  readonly rounds: number;
  /** Of one measurement of small requests. */
  readonly seconds: number;
  readonly largeBytes: number;
  /** The layer that is pushed and pulled while memory is watched. */
  readonly hugeBytes: number;
  readonly pushedImages: number;
  readonly tags: number;
  readonly repositories: number;
  /** Of all repositories together. */
  readonly manifests: number;
  /** With ten tags each. */
  readonly syncedImages: number;
  /** How often all of them are copied, by each contestant: half a minute together. */
  readonly copies: number;
  /** The layer whose transfer is killed. */
  readonly resumedBytes: number;
}

export const fullScale: Scale = {
  rounds: 9,
  seconds: 3,
  largeBytes: 512 * 1024 ** 2,
  hugeBytes: 10 * 1024 ** 3,
  pushedImages: 100,
  tags: 100_000,
  repositories: 10_000,
  manifests: 100_000,
  syncedImages: 200,
  copies: 5,
  resumedBytes: 1024 ** 3,
};

/** The same lines in less time, for a first look: what is large is smaller, and the spread says less. */
export const quickScale: Scale = {
  rounds: 3,
  seconds: 1,
  largeBytes: 128 * 1024 ** 2,
  hugeBytes: 1024 ** 3,
  pushedImages: 40,
  tags: 20_000,
  repositories: 2_000,
  manifests: 6_000,
  syncedImages: 50,
  copies: 3,
  resumedBytes: 256 * 1024 ** 2,
};

/** One line of a benchmark. */
export interface Line {
  readonly name: string;
  readonly title: string;
  readonly run: (bench: Bench, report: Report) => Promise<readonly LineResult[]>;
}

/** What a line works with. */
export interface Bench {
  readonly programs: Programs;
  readonly scale: Scale;
  readonly load: LoadClient;
  /** For the data of this line; removed after it. */
  readonly folder: string;
  /** What servers print. */
  readonly logs: string;
  /** Where our registry leaves CPU profiles. */
  readonly profile: string | undefined;
  readonly signal: AbortSignal;
}

/** Runs `lines` one after another, each with servers and data of its own. */
export async function runLines(
  lines: readonly Line[],
  bench: Omit<Bench, "load">,
  progress: Progress,
): Promise<readonly LineResult[]> {
  const results: LineResult[] = [];
  await mkdir(bench.logs, { recursive: true });
  for (const line of lines) {
    bench.signal.throwIfAborted();
    const folder = await mkdtemp(join(bench.folder, `${line.name}-`));
    try {
      const own = { ...bench, folder, load: new LoadClient(bench.programs, folder) };
      results.push(...(await progress.step(line.title, (report) => line.run(own, report))));
    } finally {
      await stopAll();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return results;
}
