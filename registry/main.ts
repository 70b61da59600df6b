import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { systemClock as clock } from "../common/clock.ts";
import { InvalidConfigError, parseSettings } from "../common/contract/config.ts";
import { messageOf } from "../common/errors.ts";
import { createLog } from "../common/log.ts";
import { createMetrics } from "../common/metrics.ts";
import { Probes } from "../common/probes.ts";
import { runServices, type Service } from "../common/service.ts";
import { ClientTokens } from "./auth/client-tokens.ts";
import { loadSigningKey } from "./auth/signing-key.ts";
import { TokenAuthority } from "./auth/token-authority.ts";
import { parseServeConfig, serveOptions, type ServeConfig, type ServeOptions } from "./config.ts";
import { LiveConfiguration, type Configuration } from "./configuration.ts";
import { ConfigurationFile, readConfiguration } from "./configuration-file.ts";
import { openContent } from "./content/content.ts";
import { Housekeeping } from "./content/housekeeping.ts";
import { createApp } from "./http/app.ts";
import { CertificateReload, ensureCertificate } from "./http/certificate.ts";
import { createContentMetrics, createHttpMetrics } from "./http/metrics.ts";
import { countedRoutes } from "./http/routes.ts";
import { RegistryServer } from "./http/server.ts";

/** `connected-registry serve` */
export function command(): Command {
  const serve = new Command("serve").description("Serve container images: a complete registry.");
  for (const option of serveOptions) {
    const flag = "value" in option ? `--${option.name} <${option.value}>` : `--${option.name}`;
    const added = new Option(flag, option.text).env(environmentName(option.name));
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
    await serve(config, await initialConfiguration(config));
    return 0;
  } catch (error) {
    const usage = error instanceof InvalidConfigError;
    for (const fault of messageOf(error).split(usage ? "; " : "\n")) console.error(fault);
    return usage ? 2 : 1;
  }
}

async function initialConfiguration(config: ServeConfig): Promise<Configuration> {
  if (config.configFile !== undefined) return readConfiguration(config.configFile);
  return {
    settings: parseSettings({ version: 1, name: "connected-registry", mode: config.mode }),
    clientTokens: [],
  };
}

async function serve(config: ServeConfig, initial: Configuration): Promise<void> {
  const live = new LiveConfiguration(initial);
  const settings = (): Configuration["settings"] => live.current.settings;
  const logs = createLog("registry", config.logLevel ?? settings().logLevel, process.stdout);
  const log = logs.logger;
  const tokens = new ClientTokens(clock, config.anonymous);
  const apply = ({ settings: { logLevel }, clientTokens }: Configuration): void => {
    if (config.logLevel === undefined) logs.setLevel(logLevel);
    for (const fault of tokens.replace(clientTokens))
      log.warn("a client token is not used in full", { fault });
  };
  apply(initial);
  live.subscribe(apply);

  const content = await openContent(config.data, {
    clock,
    newId: randomUUID,
    quota: () => settings().storageQuotaBytes,
  });
  try {
    const key = await loadSigningKey(join(config.data, "auth", "token.key"), randomBytes);
    const authority = await TokenAuthority.create(tokens, clock, key);
    const registry = createMetrics();
    const metrics = createHttpMetrics(registry, countedRoutes);
    createContentMetrics(registry, content);
    const certificate = await ensureCertificate(config.encryption, config.data, selfNames(config), clock);
    const mode = (): Configuration["settings"]["mode"] => settings().mode;
    const app = createApp({ content, tokens, authority, mode, clock, log, metrics, newId: randomUUID });
    const server = new RegistryServer(config.listen, app, certificate?.current, clock, log);
    const services: Service[] = [server, new Housekeeping(content, clock, log)];
    if (certificate !== undefined) services.push(new CertificateReload(certificate, server, clock, log));
    if (config.configFile !== undefined) {
      services.push(new ConfigurationFile(config.configFile, live, clock, log));
    }
    if (tokens.empty && !tokens.allowsAnonymous) {
      log.warn("there is no client token and no --anonymous access: every request is denied");
    }
    await runServices([new Probes(config.probes, services, registry), ...services], stopSignal(), log);
  } finally {
    content.close();
  }
}

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      stop.abort();
    });
  }
  return stop.signal;
}

/** Under which names a certificate that we make for ourselves is good. */
function selfNames({ listen }: ServeConfig): readonly string[] {
  const anywhere = ["0.0.0.0", "::"].includes(listen.host);
  return [...new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(anywhere ? [] : [listen.host])])];
}

function environmentName(option: string): string {
  return `CONNECTED_REGISTRY_${option.toUpperCase().replaceAll("-", "_")}`;
}
