import { hostname } from "node:os";
import { Command, Option } from "commander";
import { inCluster } from "../common/cluster/connection.ts";
import { configVersion, InvalidConfigError, parseSettings } from "../common/contract/config.ts";
import { endingPath } from "../common/contract/ending.ts";
import { hasCode } from "../common/errors.ts";
import { parseServeConfig, type ClusterIdentity, type ServeConfig } from "./configuration/serve-config.ts";
import { readConfiguration } from "./configuration/configuration-file.ts";
import { DatabaseDamagedError, evidenceOf } from "./content/rescue/damage.ts";
import { documentFaults } from "./configuration/document-faults.ts";
import { checkCertificate } from "./http/encryption.ts";
import type { ServeOptions } from "./configuration/option-reader.ts";
import { tellFailure } from "./configuration/tell-failure.ts";
import { environmentName, optionGroups, serveOptions } from "./configuration/options.ts";
import { endingOf, leaveEnding } from "./composition/ending.ts";
import { serve, type Source } from "./composition/serve.ts";

/** How the system says that a directory is none, or cannot be written. */
const unusablePlace = ["EACCES", "EPERM", "EROFS", "EEXIST", "ENOTDIR"];
/** How many damaged databases one process replaces. */
const maxReplacements = 2;

/** `connected-registry serve` */
export function command(): Command {
  const command = new Command("serve").description("Serve container images: a complete registry.");
  for (const option of serveOptions) {
    const flag = "value" in option ? `--${option.name} <${option.value}>` : `--${option.name}`;
    const added = new Option(flag, option.text).helpGroup(optionGroups[option.group]);
    if ("value" in option || !saysNo(process.env[environmentName(option.name)])) {
      added.env(environmentName(option.name));
    }
    command.addOption("default" in option ? added.default(option.default) : added);
  }
  return command.addHelpText("after", helpText).action(async (options: ServeOptions) => {
    // Files are read by these threads, and each that waits for a slow disk is one less (see syncFile).
    process.env.UV_THREADPOOL_SIZE ??= "16";
    const fromEnvironment = (name: string) => command.getOptionValueSource(name) === "env";
    const code = await main(options, fromEnvironment);
    // A process that just has nothing left to do closes the database, also where that must not be (see closeAsItIs).
    if (code !== 0) process.exit(code);
  });
}

const helpText = `
An option wins over its environment variable, and both over the settings document.
docs/reference/settings.md describes every setting.`;

/** @returns the exit code: 0 stopped as told, 1 failed, 2 wrong usage */
async function main(options: ServeOptions, fromEnvironment: (name: string) => boolean): Promise<number> {
  try {
    const { config, source } = await readInputs(options, fromEnvironment);
    await serveThroughDamage(config, source);
    return 0;
  } catch (error) {
    const { cluster = "", data = "" } = options;
    const ending = cluster === "" ? undefined : await endingOf(error, String(data));
    if (ending !== undefined) await leaveEnding(endingPath, ending);
    return tellFailure(error, process.stderr, remedyOf);
  }
}

/** What people may do about what the system says of an address or of the data. */
function remedyOf(error: unknown): string | undefined {
  if ((error as { readonly syscall?: unknown }).syscall === "listen") {
    return "choose another address with --listen or --probes";
  }
  const unusable = unusablePlace.some((code) => hasCode(error, code));
  return unusable ? "choose another directory with --data, or let this user write to it" : undefined;
}

/** Serves; begins anew, with the backup of the database, when the database turns out to be damaged while it is used. */
async function serveThroughDamage(config: ServeConfig, source: Source): Promise<void> {
  for (let replaced = 0; ; replaced++) {
    try {
      await serve(config, source);
      return;
    } catch (error) {
      const damaged = error instanceof DatabaseDamagedError || evidenceOf(error) === "damaged";
      // A disk that damages one database after the other is nothing that a program can mend.
      if (!damaged || replaced >= maxReplacements) throw error;
    }
  }
}

/**
 * Everything that people can get wrong, read before anything is done.
 *
 * @throws {InvalidConfigError} that lists what is wrong in the options, the settings document and the certificate
 */
async function readInputs(
  options: ServeOptions,
  fromEnvironment: (name: string) => boolean,
): Promise<{ readonly config: ServeConfig; readonly source: Source }> {
  const faults: string[] = [];
  const collect = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const config = await collect(() => parseServeConfig(options, fromEnvironment, process.env));
  const { tlsCert: cert, tlsKey: key } = options;
  if (typeof cert === "string" && typeof key === "string") {
    await collect(() => checkCertificate({ cert, key }));
  }
  const source = await collect(() => sourceOf(options, config?.cluster));
  if (config === undefined || source === undefined || faults.length > 0) {
    throw new InvalidConfigError(...faults);
  }
  return { config, source };
}

/** @returns `undefined` if it follows from options that are wrong themselves */
async function sourceOf(
  { config: path = "", cluster = "" }: ServeOptions,
  place: ClusterIdentity | undefined,
): Promise<Source | undefined> {
  const file = String(path);
  if (cluster !== "") {
    const api = inCluster(process.env);
    if (api === undefined) {
      throw new InvalidConfigError("--cluster: is for pods only; leave it out to run elsewhere");
    }
    if (file === "") throw new InvalidConfigError("--config: is needed beside --cluster");
    if (place === undefined) return undefined;
    return { kind: "cluster", api, place, podName: process.env.POD_NAME ?? hostname(), mounted: file };
  }
  if (file !== "") {
    return { kind: "file", path: file, initial: await readConfiguration(file, documentFaults) };
  }
  const settings = parseSettings({ version: configVersion, name: "connected-registry", mode: "ReadWrite" });
  return { kind: "options", initial: { settings, clientTokens: [] } };
}

/** Commander takes a flag for set by any value of its variable, also by one that says no. */
function saysNo(value: string | undefined): boolean {
  return value !== undefined && ["", "0", "false", "no"].includes(value.toLowerCase());
}
