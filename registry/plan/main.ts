import { access } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { systemClock as clock } from "../../common/clock.ts";
import { InvalidConfigError, type ParentSettings, type SyncSettings } from "../../common/contract/config.ts";
import { createLog } from "../../common/log.ts";
import { stopSignal } from "../../common/stop-signal.ts";
import { readConfiguration } from "../configuration/configuration-file.ts";
import { tellFailure } from "../configuration/tell-failure.ts";
import { ContentGlance } from "../content/glance.ts";
import { TagNotFoundError } from "../content/store.ts";
import { documentFaults } from "../configuration/document-faults.ts";
import { LinkBudget } from "../link/budget.ts";
import { LinkUsage } from "../link/usage.ts";
import { defaultData, environmentName } from "../configuration/options.ts";
import { proxyOf } from "../remote/proxy.ts";
import { RemoteRegistry } from "../remote/registry.ts";
import { parentFault, sentenceOf } from "../sync/faults.ts";
import { preview, type Preview, type StoredContent } from "./preview.ts";
import { repositoryTable, sumOf, tagTable } from "./table.ts";

interface Options {
  readonly config: string;
  readonly data: string;
  readonly output: "table" | "json";
  readonly tags: boolean;
}

const help = `
Asks the parent for lists of tags, digests and manifests, and for no layer; keeps to the limits of the link. Changes
nothing, here or there. A registry that runs may go on running.
TO FETCH counts what is missing here of the selected images and of what is attached to them, each content once, if a sync began now.

Exit code: 0 everything was looked at, 1 something could not be, 2 wrong usage.`;

/** `connected-registry plan` */
export function command(): Command {
  return new Command("plan")
    .description(
      "Show what a sync would bring from the parent, and what it leaves out and why. Changes nothing.",
    )
    .addOption(
      new Option("--config <FILE>", "the registry's settings document, JSON or YAML")
        .env(environmentName("config"))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--data <DIR>", "where the registry keeps its content; without any, nothing counts as here")
        .env(environmentName("data"))
        .default(defaultData),
    )
    .addOption(
      new Option("-o, --output <FORMAT>", "how to show it").choices(["table", "json"]).default("table"),
    )
    .option("--tags", "a row for each tag instead of each repository (JSON has both)", false)
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
    const found = await plan(options, output, errors);
    output.write(shown(found, options));
    for (const { repository, tag, state, reason } of found.entries) {
      if (state !== "Failed") continue;
      errors.write(`${repository}${tag === undefined ? "" : `:${tag}`}: ${reason ?? ""}\n`);
    }
    if (found.ending !== undefined) {
      errors.write(`${parentFault(found.ending)?.description ?? sentenceOf(found.ending)}\n`);
    }
    return found.ending === undefined && found.entries.every(({ state }) => state !== "Failed") ? 0 : 1;
  } catch (error) {
    return tellFailure(error, errors);
  }
}

function shown(found: Preview, { output, tags }: Options): string {
  const { entries, repositories, notice } = found;
  if (output === "json") {
    const complete = found.ending === undefined;
    return `${JSON.stringify({ complete, notice, repositories, tags: entries }, undefined, 2)}\n`;
  }
  const table = tags ? tagTable(entries) : repositoryTable(repositories);
  return `${table}\n${sumOf(repositories)}\n${notice === undefined ? "" : `${notice}\n`}`;
}

async function plan(
  { config, data }: Options,
  output: NodeJS.WriteStream,
  errors: NodeJS.WriteStream,
): Promise<Preview> {
  const { settings } = await readConfiguration(config, documentFaults);
  const { parent, sync } = settings;
  if (parent === undefined)
    throw new InvalidConfigError(`${config}: parent: is needed: there is nobody to ask`);
  if (sync === undefined) throw new InvalidConfigError(`${config}: sync: is needed: nothing is selected`);
  // Whoever reads the list may have seen enough.
  const unread = new AbortController();
  output.on("error", () => {
    unread.abort();
  });
  const signal = AbortSignal.any([stopSignal(), unread.signal]);
  const { logger } = createLog("plan", "Warning", errors);
  const usage = await LinkUsage.restore(join(data, "link", "usage.json"), logger);
  const gate = new LinkBudget({ usage, counted: () => undefined, show: () => undefined, clock }, settings);
  const source = new RemoteRegistry(withProxy(parent), {
    ...{ clock, gate, random: Math.random },
    observer: { requested: () => undefined, received: () => undefined },
  });
  const content = await glanceAt(data, errors);
  try {
    return await previewed(sync, source, content, errors, signal);
  } finally {
    source.close();
    content.close();
  }
}

async function previewed(
  sync: SyncSettings,
  source: RemoteRegistry,
  target: StoredContent,
  errors: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<Preview> {
  let told = 0;
  const progress = (done: number, all: number): void => {
    const now = clock.steady();
    if (!errors.isTTY || now - told < 200) return;
    told = now;
    errors.write(`\r${done} of ${all} tags `);
  };
  try {
    return await preview({ sync, source, target, progress, signal });
  } finally {
    if (told > 0) errors.write("\r\u001b[K");
  }
}

/** What the registry has; nothing if it has no content yet. */
async function glanceAt(
  data: string,
  errors: NodeJS.WriteStream,
): Promise<StoredContent & { close(): void }> {
  try {
    await access(join(data, "registry.db"));
  } catch {
    errors.write(`${data} holds no content of a registry: nothing counts as here\n`);
    return nothing;
  }
  return new ContentGlance(data, clock);
}

const nothing: StoredContent & { close(): void } = {
  open: () => ({
    exists: async () => false,
    fetch: async ({ digest }) => Promise.reject(new Error(`${digest} is not here`)),
    resolve: async (tag) => Promise.reject(new TagNotFoundError(tag)),
  }),
  stored: async () => false,
  close: () => undefined,
};

function withProxy(parent: ParentSettings): ParentSettings {
  const proxy = proxyOf(process.env, parent.protocol);
  return proxy === undefined ? parent : { proxy, ...parent };
}
