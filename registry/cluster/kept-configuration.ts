import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../common/atomic-file.ts";
import {
  InvalidConfigError,
  parseClientToken,
  parseSettings,
  type ClientTokenSettings,
  type RegistrySettings,
} from "../../common/contract/config.ts";
import { hasCode, messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";

/** A document, and when it was written, in milliseconds. */
export interface Dated<T> {
  readonly value: T;
  readonly time: number;
}

/** A Secret's name is a DNS sub-domain, so it makes a safe file name. */
const tokenFile = /^token\.([a-z0-9]([a-z0-9.-]*[a-z0-9])?)\.json$/;

/**
 * The last good configuration, as the API server gave it, on the registry's own volume: what it starts from when the
 * API server is away (T50). Only the registry may read it.
 *
 * ```text
 * <directory>/
 *   settings.json
 *   token.<name of the Secret>.json
 * ```
 */
export class KeptConfiguration {
  private readonly directory: string;
  private readonly log: Logger;

  constructor(directory: string, log: Logger) {
    this.directory = directory;
    this.log = log;
  }

  async settings(): Promise<Dated<RegistrySettings> | undefined> {
    return await this.read("settings.json", parseSettings);
  }

  /** By the names of their Secrets. */
  async clientTokens(): Promise<ReadonlyMap<string, ClientTokenSettings>> {
    const tokens = new Map<string, ClientTokenSettings>();
    for (const file of await this.files()) {
      const secret = tokenFile.exec(file)?.[1];
      const token = secret === undefined ? undefined : await this.read(file, parseClientToken);
      if (secret !== undefined && token !== undefined) tokens.set(secret, token.value);
    }
    return tokens;
  }

  async keepSettings(settings: RegistrySettings): Promise<void> {
    await this.write("settings.json", settings);
  }

  /** Keeps `token`, or with `undefined` no token, of the Secret called `secret`. */
  async keepClientToken(secret: string, token: ClientTokenSettings | undefined): Promise<void> {
    const file = `token.${secret}.json`;
    if (!tokenFile.test(file)) return;
    if (token === undefined) await rm(join(this.directory, file), { force: true });
    else await this.write(file, token);
  }

  private async files(): Promise<readonly string[]> {
    try {
      return await readdir(this.directory);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  private async read<T>(file: string, parse: (value: unknown) => T): Promise<Dated<T> | undefined> {
    const path = join(this.directory, file);
    try {
      const value = parse(JSON.parse(await readFile(path, "utf8")));
      return { value, time: (await stat(path)).mtimeMs };
    } catch (error) {
      // A parser of JSON quotes what it read, which here may be a secret.
      const reason = error instanceof InvalidConfigError ? error.message : "not JSON";
      if (!hasCode(error, "ENOENT")) this.log.warn("a kept document cannot be read", { file, reason });
      return undefined;
    }
  }

  private async write(file: string, document: object): Promise<void> {
    try {
      await writeAtomically(join(this.directory, file), JSON.stringify(document), 0o600);
    } catch (error) {
      this.log.warn("the configuration cannot be kept", { file, error: messageOf(error) });
    }
  }
}
