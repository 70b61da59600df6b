import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { seconds, systemClock as clock } from "../common/clock.ts";
import { inCluster, type InCluster } from "../common/cluster/connection.ts";
import { HttpsClusterApi } from "../common/cluster/https-api.ts";
import { InvalidConfigError, parseSettings } from "../common/contract/config.ts";
import { hashBroughtPassword } from "../common/contract/password.ts";
import { hasCode, messageOf } from "../common/errors.ts";
import { createLog, type Logger } from "../common/log.ts";
import { createMetrics } from "../common/metrics.ts";
import { Probes } from "../common/probes.ts";
import { runServices, type Service } from "../common/service.ts";
import { stopSignal } from "../common/stop-signal.ts";
import { version } from "../common/version.ts";
import { FailedAttempts } from "./auth/attempts.ts";
import { ClientTokens } from "./auth/client-tokens.ts";
import { Logins } from "./auth/logins.ts";
import { loadSigningKey } from "./auth/signing-key.ts";
import { TokenAuthority } from "./auth/token-authority.ts";
import { parseServeConfig, serveOptions, type ServeConfig, type ServeOptions } from "./config.ts";
import { KeptConfiguration } from "./cluster/kept-configuration.ts";
import { podServices } from "./cluster/services.ts";
import { startingConfiguration } from "./cluster/starting-configuration.ts";
import { LiveConfiguration, type Configuration } from "./configuration.ts";
import { ConfigurationFile, readConfiguration } from "./configuration-file.ts";
import { openContent, type RegistryContent } from "./content/content.ts";
import { Housekeeping } from "./content/housekeeping.ts";
import { openWhenFree } from "./content/lock.ts";
import { createApp } from "./http/app.ts";
import { AuditLog } from "./http/audit.ts";
import { CertificateReload } from "./http/certificate.ts";
import { ensureCertificate } from "./http/encryption.ts";
import { createContentMetrics, createHttpMetrics } from "./http/metrics.ts";
import { countedRoutes } from "./http/routes.ts";
import { RegistryServer } from "./http/server.ts";
import { RemoteRegistry } from "./remote/registry.ts";
import { StatusBoard } from "./sync/board.ts";
import { SyncEngine } from "./sync/engine.ts";
import { FileJournal } from "./sync/journal.ts";
import { createSyncMetrics } from "./sync/metrics.ts";

/** `connected-registry serve` */
export function command(): Command {
  const serve = new Command("serve").description("Serve container images: a complete registry.");
  for (const option of serveOptions) {
    const flag = "value" in option ? `--${option.name} <${option.value}>` : `--${option.name}`;
    const added = new Option(flag, option.text);
    if ("value" in option || !saysNo(process.env[environmentName(option.name)])) {
      added.env(environmentName(option.name));
    }
    serve.addOption("default" in option ? added.default(option.default) : added);
  }
  return serve.action(async (options: ServeOptions) => {
    process.exitCode = await main(options);
  });
}

/** @returns the exit code: 0 stopped as told, 1 failed, 2 wrong usage */
async function main(options: ServeOptions): Promise<number> {
  try {
    const config = parseServeConfig(options);
    await serve(config);
    return 0;
  } catch (error) {
    const usage = error instanceof InvalidConfigError;
    for (const fault of messageOf(error).split(usage ? "; " : "\n")) console.error(fault);
    if (hasCode(error, "EADDRINUSE")) console.error("choose another address with --listen or --probes");
    return usage ? 2 : 1;
  }
}

async function initialConfiguration(
  config: ServeConfig,
  kept: KeptConfiguration,
  log: Logger,
): Promise<Configuration> {
  const { configFile, cluster } = config;
  if (configFile !== undefined) {
    return cluster === undefined
      ? readConfiguration(configFile)
      : startingConfiguration(configFile, kept, log);
  }
  return {
    settings: parseSettings({ version: 1, name: "connected-registry", mode: config.mode }),
    clientTokens: [],
  };
}

async function serve(config: ServeConfig): Promise<void> {
  const logs = createLog("registry", config.logLevel ?? "Information", process.stdout);
  const log = logs.logger;
  const kept = new KeptConfiguration(join(config.data, "config"), log);
  const initial = await initialConfiguration(config, kept, log);
  const live = new LiveConfiguration(initial);
  const settings = (): Configuration["settings"] => live.current.settings;
  const tokens = new ClientTokens(clock, config.anonymous);
  const apply = ({ settings: { logLevel }, clientTokens }: Configuration): void => {
    if (config.logLevel === undefined) logs.setLevel(logLevel);
    for (const fault of tokens.replace(clientTokens))
      log.warn("a client token is not used in full", { fault });
  };
  apply(initial);
  live.subscribe(apply);

  const stop = stopSignal();
  const open = (): Promise<RegistryContent> =>
    openContent(config.data, { clock, newId: randomUUID, quota: () => settings().storageQuotaBytes });
  const patience = config.cluster === undefined ? seconds(5) : seconds(120);
  const content = await openWhenFree(open, patience, clock, log, stop);
  try {
    const key = await loadSigningKey(join(config.data, "auth", "token.key"), randomBytes);
    const authority = await TokenAuthority.create(tokens, clock, key);
    const registry = createMetrics();
    const metrics = createHttpMetrics(registry, countedRoutes);
    createContentMetrics(registry, content);
    const certificate = await ensureCertificate(config.encryption, config.data, selfNames(config), clock);
    const mode = (): Configuration["settings"]["mode"] => settings().mode;
    const attempts = new FailedAttempts(clock);
    const logins = new Logins({ tokens, attempts, hash: hashBroughtPassword, random: randomBytes });
    const audit = new AuditLog(
      () => settings().audit.enabled,
      clock,
      (line) => process.stdout.write(line),
    );
    const app = createApp({
      ...{ content, tokens, logins, authority, mode, clock, log, audit, metrics },
      newId: randomUUID,
    });
    const server = new RegistryServer(config.listen, app, certificate?.current, clock, log);
    const board = new StatusBoard(version, clock, randomUUID);
    const engine = new SyncEngine({
      configuration: live,
      content,
      connect: (parent, observer) => new RemoteRegistry(parent, { clock, random: Math.random, observer }),
      board,
      journal: new FileJournal(join(config.data, "sync", "journal.json"), log),
      metrics: createSyncMetrics(registry),
      clock,
      random: Math.random,
      log,
    });
    const services: Service[] = [server, new Housekeeping(content, clock, log), engine];
    if (certificate !== undefined) services.push(new CertificateReload(certificate, server, clock, log));
    if (config.cluster !== undefined) {
      const api = new HttpsClusterApi(ownCluster(), clock, Math.random, log);
      const podName = process.env.POD_NAME ?? hostname();
      const place = config.cluster;
      services.push(
        ...podServices({ api, place, podName, live, kept, board, clock, random: Math.random, log }),
      );
    } else if (config.configFile !== undefined) {
      services.push(new ConfigurationFile(config.configFile, live, clock, log));
    }
    const status = { path: "/status", read: () => board.current };
    if (tokens.empty && !tokens.allowsAnonymous) {
      log.warn("there is no client token and no --anonymous access: every request is denied");
    }
    const probes = new Probes(config.probes, services, registry, stop, [status]);
    await runServices([probes, ...services], stop, log);
  } finally {
    await content.close();
  }
}

/** @throws {InvalidConfigError} outside a pod */
function ownCluster(): InCluster {
  const place = inCluster(process.env);
  if (place === undefined) {
    throw new InvalidConfigError("--cluster: is for pods only; leave it out to run elsewhere");
  }
  return place;
}

/** Under which names a certificate that we make for ourselves is good. */
function selfNames({ listen }: ServeConfig): readonly string[] {
  const anywhere = ["0.0.0.0", "::"].includes(listen.host);
  return [...new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(anywhere ? [] : [listen.host])])];
}

/** Commander takes a flag for set by any value of its variable, also by one that says no. */
function saysNo(value: string | undefined): boolean {
  return value !== undefined && ["", "0", "false", "no"].includes(value.toLowerCase());
}

function environmentName(option: string): string {
  return `CONNECTED_REGISTRY_${option.toUpperCase().replaceAll("-", "_")}`;
}
