import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import type { DateTime } from "luxon";
import type { LineResult } from "../line.ts";
import { chart } from "./chart.ts";

/** All that was found in one run, and on what. */
export interface BenchRecord {
  readonly at: string;
  readonly machine: string;
  readonly versions: readonly string[];
  /** How much was done. */
  readonly scale: object;
  readonly results: readonly LineResult[];
}

export function recordOf(
  results: readonly LineResult[],
  scale: object,
  versions: readonly string[],
  at: DateTime<true>,
): BenchRecord {
  return { at: at.toISO(), machine: machine(), versions, scale, results };
}

/** Writes `<name>.json` and `<name>.svg` into `folder`, and answers their paths. */
export async function writeRecord(
  folder: string,
  name: string,
  record: BenchRecord,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files = [join(folder, `${name}.json`), join(folder, `${name}.svg`)] as const;
  await writeFile(files[0], `${JSON.stringify(record, undefined, 2)}\n`);
  const subtitle = `${record.at.slice(0, 10)}, ${record.machine}; ${record.versions.join(", ")}`;
  await writeFile(files[1], chart(record.results, subtitle));
  return files;
}

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${processors.length} cores of ${model}, ${memory} GiB, Linux ${release()}`;
}
