import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { systemClock } from "../common/clock.ts";
import { messageOf } from "../common/errors.ts";
import { terminalProgress } from "../e2e/terminal/terminal.ts";
import type { Progress } from "../e2e/terminal/progress.ts";
import { fullScale, quickScale, runLines, type Line } from "./bench.ts";
import { holds, type LineResult } from "./line.ts";
import { operatorLines, runOperatorLines } from "./operator/lines.ts";
import { fullScale as fullOperatorScale, quickScale as quickOperatorScale } from "./operator/scale.ts";
import { obtainOurs, obtainPrograms } from "./programs.ts";
import { registryLines } from "./registry/lines.ts";
import { recordOf, writeRecord } from "./report/record.ts";
import { syncLines } from "./sync/lines.ts";
import { table } from "./report/table.ts";
import { stopAll } from "./servers/server.ts";

interface Options {
  readonly only?: readonly string[];
  readonly quick: boolean;
  readonly output?: string;
  readonly folder: string;
  readonly profile?: string;
}

const root = resolve(import.meta.dirname, "..");

/** What can be measured by one command. */
interface Suite {
  readonly name: string;
  readonly description: string;
  readonly lines: readonly { readonly name: string }[];
  /** Measures the lines whose names are `wanted`. */
  readonly measure: (wanted: (name: string) => boolean, run: Run) => Promise<Measured>;
}

/** How it is measured. */
interface Run {
  readonly quick: boolean;
  /** Of this run alone; removed after it. */
  readonly folder: string;
  readonly profile: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

interface Measured {
  readonly results: readonly LineResult[];
  readonly scale: object;
  readonly versions: readonly string[];
}

const suites: readonly Suite[] = [
  {
    name: "registry",
    description:
      "Our registry, as the image runs it, against CNCF distribution and nginx: on this machine, in one run, with\n" +
      "random data. Each round measures all of them in turn, and a ratio is that of one round; what is told is the\n" +
      "median. Takes 20 minutes, and 30 GB of disk for a while. Needs Linux, Go, and Debian's package sources.",
    lines: registryLines,
    measure: againstPeers(registryLines),
  },
  {
    name: "sync",
    description:
      "What our registry makes of the link to its parent, a CNCF distribution in a network of its own, against regsync\n" +
      "into another distribution: in one run, with random data. Takes 20 minutes. Needs root on Linux, tc, Go, and\n" +
      "Debian's package sources.",
    lines: syncLines,
    measure: againstPeers(syncLines),
  },
  {
    name: "operator",
    description:
      "Our operator, as the image runs it and with the rights that the chart gives it, with 1,000 registries in a real API\n" +
      "server whose other controllers are played. Takes 20 minutes. Needs root on Linux, Go, and Debian's package sources.",
    lines: operatorLines,
    measure: ofOperator,
  },
];

function againstPeers(all: readonly Line[]): Suite["measure"] {
  return async (wanted, { quick, folder, profile, signal, progress }) => {
    const scale = quick ? quickScale : fullScale;
    const programs = await obtainPrograms(folder, progress, signal);
    const lines = all.filter(({ name }) => wanted(name));
    const bench = { programs, scale, folder, logs: join(folder, "logs"), profile, signal };
    return { results: await runLines(lines, bench, progress), scale, versions: programs.versions };
  };
}

async function ofOperator(
  wanted: (name: string) => boolean,
  { quick, folder, profile, signal, progress }: Run,
): Promise<Measured> {
  const scale = quick ? quickOperatorScale : fullOperatorScale;
  const programs = await obtainOurs(folder, progress);
  const lines = operatorLines.filter(({ name }) => wanted(name));
  const results = await runOperatorLines(lines, { scale, programs, folder, profile }, signal, progress);
  return { results, scale, versions: programs.versions };
}

const command = new Command("npm run bench --").description("Measures this project against its peers.");
for (const suite of suites) {
  const names = suite.lines.map(({ name }) => name);
  command
    .command(suite.name)
    .description(`${suite.description}\n\nLines: ${names.join(", ")}.`)
    .addOption(new Option("--only <line...>", "measure these lines only").choices(names))
    .option("--quick", "smaller and shorter, in a few minutes: a first look, not to be quoted", false)
    .option(
      "--output <folder>",
      `write ${suite.name}.json and ${suite.name}.svg there; all lines in full: docs/benchmarks`,
    )
    .option("--folder <folder>", "where the data of the measured servers go", tmpdir())
    .option("--profile <folder>", "write CPU profiles of our registry there")
    .action(async (options: Options) => {
      process.exitCode = await main(suite, options);
    });
}

/** @returns 0 when every requirement holds, 1 when one does not, or something failed */
async function main(suite: Suite, { only, quick, output, folder, profile }: Options): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, () => {
      stop.abort(new Error("interrupted"));
      void stopAll();
    });
  }
  const progress = terminalProgress();
  const own = await mkdtemp(join(folder, "connected-registry-bench-"));
  try {
    const { results, scale, versions } = await suite.measure((name) => only?.includes(name) ?? true, {
      quick,
      folder: own,
      profile,
      signal: stop.signal,
      progress,
    });
    console.log(`\n${table(results)}`);
    const whole = only === undefined && !quick;
    const into = output ?? (whole ? join(root, "docs/benchmarks") : undefined);
    if (into !== undefined) {
      const record = recordOf(results, scale, versions, systemClock.now());
      for (const file of await writeRecord(into, suite.name, record))
        console.log(relative(process.cwd(), file));
    }
    return results.every(({ checks }) => checks.every((check) => holds(check) !== false)) ? 0 : 1;
  } catch (error) {
    console.error(`npm run bench: ${messageOf(error)}`);
    return 1;
  } finally {
    await stopAll();
    await rm(own, { recursive: true, force: true });
  }
}

await command.parseAsync();
