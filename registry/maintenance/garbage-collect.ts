import { Command } from "commander";
import { seconds } from "../../common/clock.ts";
import { configVersion, parseSettings, type RegistrySettings } from "../../common/contract/config.ts";
import { stopSignal } from "../../common/stop-signal.ts";
import { readConfiguration } from "../configuration/configuration-file.ts";
import { tellFailure } from "../configuration/tell-failure.ts";
import type { CollectionReport, Removal } from "../content/collect/report.ts";
import { isInUse } from "../content/lock.ts";
import { openStopped } from "./stopped-data.ts";

interface Options {
  readonly data: string;
  readonly config?: string;
  readonly dryRun: boolean;
}

const help = `
A registry that runs collects garbage by itself, on its schedule: this is for one that is stopped.
What nothing refers to stays for the grace period: a day, or what --config says.
What goes by age (retention) needs the rules of --config, and goes only where no parent is configured:
whether the parent still has it cannot be known here.

Exit code: 0 done, 1 something could not be collected, 2 wrong usage.`;

/** `connected-registry garbage-collect` */
export function command(): Command {
  return new Command("garbage-collect")
    .description("Remove content that nothing refers to from the data of a registry that is stopped.")
    .requiredOption("--data <DIR>", "where the registry keeps its content")
    .option("--config <FILE>", "the registry's settings document: its grace period and retention rules")
    .option("--dry-run", "remove nothing, only list what would be removed, and why", false)
    .addHelpText("after", help)
    .action(async (options: Options) => {
      process.exitCode = await main(options, process.stdout, process.stderr);
    });
}

/** @returns the exit code */
async function main(
  options: Options,
  output: NodeJS.WriteStream,
  errors: NodeJS.WriteStream,
): Promise<number> {
  try {
    const settings = await settingsIn(options.config);
    const report = await collect(options, settings, output, errors);
    output.write(summaryOf(report, settings.garbageCollection.graceSeconds));
    for (const { repository, message } of report.faults) {
      errors.write(`${repository === undefined ? "" : `${repository}: `}${message}\n`);
    }
    return report.state === "Succeeded" ? 0 : 1;
  } catch (error) {
    const remedy = "A registry that runs collects garbage by itself, on its schedule.";
    return tellFailure(error, errors, (cause) => (isInUse(cause) ? remedy : undefined));
  }
}

async function settingsIn(config: string | undefined): Promise<RegistrySettings> {
  if (config !== undefined) return (await readConfiguration(config)).settings;
  return parseSettings({ version: configVersion, name: "connected-registry" });
}

async function collect(
  { data, dryRun }: Options,
  { garbageCollection, retention, parent }: RegistrySettings,
  output: NodeJS.WriteStream,
  errors: NodeJS.WriteStream,
): Promise<CollectionReport> {
  const content = await openStopped(data);
  // Whoever reads the list may have seen enough.
  const unread = new AbortController();
  output.on("error", () => {
    unread.abort();
  });
  const stop = AbortSignal.any([stopSignal(), unread.signal]);
  let count = 0;
  const observe = ({ kind, repository, name, bytes, reason }: Removal): void => {
    count++;
    if (dryRun)
      output.write(
        `${kind} ${repository === undefined ? "" : `${repository} `}${name}: ${reason} (${bytes} bytes)\n`,
      );
    else if (errors.isTTY && count % 100 === 0) errors.write(`\r${count} removed`);
  };
  try {
    const { graceSeconds } = garbageCollection;
    const mayExpire = (): boolean => parent === undefined;
    return await content.collector.collect({ graceSeconds, retention, dryRun, mayExpire, observe }, stop);
  } finally {
    if (errors.isTTY && count >= 100) errors.write("\r");
    await content.close();
  }
}

function summaryOf(
  { state, dryRun, removed, bytes, expiryPostponed }: CollectionReport,
  graceSeconds: number,
): string {
  const counts = Object.entries(removed)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${plural(kind, count)}`);
  const grace = seconds(graceSeconds).rescale().toHuman();
  const what =
    counts.length === 0
      ? `nothing (what came within ${grace} stays)`
      : `${counts.join(", ")}, ${bytes} bytes`;
  const postponed =
    expiryPostponed === 0
      ? ""
      : `${expiryPostponed} ${plural("repository", expiryPostponed)} not expired: a parent is configured\n`;
  return `${state}: ${dryRun ? "would remove" : "removed"} ${what}\n${postponed}`;
}

function plural(word: string, count: number): string {
  if (count === 1) return word;
  return word === "repository" ? "repositories" : `${word}s`;
}
