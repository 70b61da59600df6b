import { readFile } from "node:fs/promises";
import { seconds, type Clock } from "../../common/clock.ts";
import { InvalidConfigError, parseClientToken, parseSettings } from "../../common/contract/config.ts";
import { every } from "../../common/every.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { Configuration, LiveConfiguration } from "./live-configuration.ts";
import { documentFaults } from "./document-faults.ts";
import type { StatusBoard } from "../sync/telling/board.ts";

/**
 * Reads a settings document, JSON or YAML. It may hold the client tokens too, under `clientTokens`.
 *
 * @param judge what else is wrong with it, beside what the contract refuses
 * @throws {InvalidConfigError} that lists every fault
 */
export async function readConfiguration(
  path: string,
  judge: typeof documentFaults = async () => [],
): Promise<Configuration> {
  const document = await parseText(await readText(path), path);
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new InvalidConfigError(`${path}: is not a settings document: write version: 1, name: …`);
  }
  const { clientTokens = [], ...rest } = document as Readonly<Record<string, unknown>>;
  const faults: string[] = [];
  const collect = <T>(where: string, parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      faults.push(...error.faults.map((fault) => `${where}${fault}`.replace(".the document:", ":")));
      return undefined;
    }
  };
  const settings = collect("", () => parseSettings(rest));
  if (!Array.isArray(clientTokens)) faults.push("clientTokens: write a list");
  const listed: readonly unknown[] = Array.isArray(clientTokens) ? clientTokens : [];
  const tokens = listed.map((token, i) => collect(`clientTokens.${i}.`, () => parseClientToken(token)));
  faults.push(...(await judge(document as Readonly<Record<string, unknown>>)));
  if (faults.length > 0 || settings === undefined) {
    throw new InvalidConfigError(...faults.map((fault) => `${path}: ${fault}`));
  }
  return { settings, clientTokens: tokens.filter((token) => token !== undefined) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new InvalidConfigError(`${path}: cannot be read: ${messageOf(error)}`);
  }
}

async function parseText(text: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    // YAML is rare where memory counts: in a cluster the document is JSON.
    const { load, YAMLException } = await import("js-yaml");
    try {
      return load(text);
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      // Its message quotes the document, which may hold secrets.
      const place = error.mark === undefined ? "" : ` in line ${error.mark.line + 1}`;
      throw new InvalidConfigError(`${path}: is neither JSON nor YAML: ${error.reason}${place}`);
    }
  }
}

const interval = seconds(2);
const faultName = "Configuration/file";

/** Puts a changed settings document into effect. One that cannot be used changes nothing, and is told in log and status. */
export class ConfigurationFile implements Service {
  readonly name = "configuration";
  private readonly path: string;
  private readonly live: LiveConfiguration;
  private readonly board: StatusBoard;
  private readonly clock: Clock;
  private readonly log: Logger;
  private last: string;
  /** What was wrong at the last look: said once. */
  private fault: string | undefined;

  /** @param initial what the document said when `live` was made of it */
  constructor(
    path: string,
    initial: Configuration,
    live: LiveConfiguration,
    board: StatusBoard,
    clock: Clock,
    log: Logger,
  ) {
    this.path = path;
    this.live = live;
    this.board = board;
    this.clock = clock;
    this.log = log;
    this.last = JSON.stringify(initial);
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    await every(interval, () => this.check(), this.clock, signal);
  }

  /** Looks at the document now. */
  async check(): Promise<void> {
    try {
      this.take(await readConfiguration(this.path, documentFaults));
      this.fault = undefined;
      this.board.setFault(faultName, undefined);
    } catch (error) {
      if (messageOf(error) === this.fault) return;
      this.fault = messageOf(error);
      const description = `${this.fault}. What was in use before stays in use.`;
      this.board.setFault(faultName, { code: "INVALID", description });
      const faults = error instanceof InvalidConfigError ? error.faults : [messageOf(error)];
      this.log.error("the settings document cannot be used: the settings in use stay", { faults });
    }
  }

  private take(next: Configuration): void {
    const text = JSON.stringify(next);
    if (text === this.last) return;
    this.last = text;
    this.live.replace(next);
    this.log.info("the settings have changed and are in use", { file: this.path });
  }
}
