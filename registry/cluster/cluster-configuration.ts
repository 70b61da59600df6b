import type { ClusterApi } from "../../common/cluster/api.ts";
import {
  clientTokenKey,
  InvalidConfigError,
  parseClientToken,
  parseSettings,
  settingsKey,
  tokenSecretsIn,
  type ClientTokenSettings,
} from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { ClusterIdentity } from "../configuration/serve-config.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import type { KeptConfiguration } from "./kept-configuration.ts";

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Keeps the configuration as the API server has it: the settings, and each client token that they name. A change is in
 * effect when its event has come. A document that cannot be used changes nothing and is told in the status; a token
 * whose Secret is gone is gone.
 */
export class ClusterConfiguration implements Service {
  readonly name = "configuration";
  private readonly api: ClusterApi;
  private readonly place: ClusterIdentity;
  private readonly live: LiveConfiguration;
  private readonly kept: KeptConfiguration;
  private readonly board: StatusBoard;
  private readonly log: Logger;
  private readonly tokens = new Map<string, ClientTokenSettings>();
  private readonly following = new Map<
    string,
    { readonly stop: AbortController; readonly done: Promise<void> }
  >();

  constructor(
    api: ClusterApi,
    place: ClusterIdentity,
    live: LiveConfiguration,
    kept: KeptConfiguration,
    board: StatusBoard,
    log: Logger,
  ) {
    this.api = api;
    this.place = place;
    this.live = live;
    this.kept = kept;
    this.board = board;
    this.log = log;
  }

  /** Always: there is a configuration from the start. */
  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const [secret, token] of await this.kept.clientTokens()) this.tokens.set(secret, token);
    this.followTokens(signal);
    const name = `${this.place.name}-config`;
    for await (const secret of this.follow(name, signal)) await this.takeSettings(name, secret, signal);
    await Promise.all([...this.following.values()].map(({ done }) => done));
  }

  private async takeSettings(name: string, secret: Secret | undefined, signal: AbortSignal): Promise<void> {
    // Whoever deletes it is about to make it again, or to delete us.
    if (secret === undefined) return;
    const settings = this.parse(name, secret, settingsKey, parseSettings);
    if (settings === undefined) return;
    await this.kept.keepSettings(settings);
    this.live.replace({ ...this.live.current, settings });
    this.followTokens(signal);
    this.publish();
    this.log.info("the settings of the cluster are in use");
  }

  private async takeToken(name: string, secret: Secret | undefined): Promise<void> {
    const token = secret && this.parse(name, secret, clientTokenKey, parseClientToken);
    if (secret !== undefined && token === undefined) return;
    if (token === undefined) {
      this.tokens.delete(name);
      this.board.setFault(`Configuration/${name}`, undefined);
    } else this.tokens.set(name, token);
    // In effect first: a token that is taken away must not work while a slow disk writes.
    this.publish();
    await this.kept.keepClientToken(name, token);
  }

  /** Follows exactly the Secrets that the settings name. */
  private followTokens(signal: AbortSignal): void {
    const wanted = new Set(tokenSecretsIn(this.live.current.settings));
    for (const [name, { stop }] of this.following) {
      if (wanted.has(name)) continue;
      stop.abort();
      this.following.delete(name);
    }
    for (const name of this.tokens.keys()) {
      if (wanted.has(name)) continue;
      this.tokens.delete(name);
      void this.kept.keepClientToken(name, undefined);
    }
    for (const name of wanted) {
      if (this.following.has(name)) continue;
      const stop = new AbortController();
      const done = this.followToken(name, AbortSignal.any([signal, stop.signal]));
      this.following.set(name, { stop, done });
    }
  }

  private async followToken(name: string, signal: AbortSignal): Promise<void> {
    for await (const secret of this.follow(name, signal)) {
      if (!signal.aborted) await this.takeToken(name, secret);
    }
  }

  private follow(name: string, signal: AbortSignal): AsyncIterable<Secret | undefined> {
    return this.api.follow<Secret>(`/api/v1/namespaces/${this.place.namespace}/secrets`, name, signal);
  }

  private publish(): void {
    const { settings, clientTokens: last } = this.live.current;
    const clientTokens = tokenSecretsIn(settings).flatMap((name) => this.tokens.get(name) ?? []);
    const same = last.length === clientTokens.length && clientTokens.every((token, i) => token === last[i]);
    if (!same) this.live.replace({ settings, clientTokens });
  }

  private parse<T>(name: string, { data }: Secret, key: string, parse: (value: unknown) => T): T | undefined {
    const fault = `Configuration/${name}`;
    try {
      const value = parse(json(Buffer.from(data?.[key] ?? "", "base64").toString("utf8")));
      this.board.setFault(fault, undefined);
      return value;
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      const description = `Secret ${name}, ${key}: ${error.message}. What was in use before stays in use.`;
      this.board.setFault(fault, { code: "INVALID", description });
      this.log.error("a document of the configuration cannot be used", {
        secret: name,
        reason: error.message,
      });
      return undefined;
    }
  }
}

/** @throws {InvalidConfigError} that quotes nothing of `text`, which may be a secret */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidConfigError("not JSON");
  }
}
