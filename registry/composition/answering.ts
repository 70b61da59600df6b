import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Registry } from "prom-client";
import { seconds, type Clock } from "../../common/clock.ts";
import type { RegistryMode, RegistrySettings } from "../../common/contract/config.ts";
import { hashBroughtPassword } from "../../common/contract/password.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import { FailedAttempts } from "../auth/attempts.ts";
import type { ClientTokens } from "../auth/client-tokens.ts";
import { Logins } from "../auth/logins.ts";
import { loadSigningKey } from "../auth/signing-key.ts";
import { TokenAuthority } from "../auth/token-authority.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import { summaryOf } from "../configuration/overview.ts";
import type { ServeConfig } from "../configuration/serve-config.ts";
import type { RegistryContent } from "../content/content.ts";
import { createApp } from "../http/app.ts";
import { AuditLog } from "../http/audit.ts";
import { CertificateReload } from "../http/certificate.ts";
import type { Elsewhere } from "../http/elsewhere.ts";
import { ensureCertificate } from "../http/encryption.ts";
import { memoryReturn } from "../http/memory-return.ts";
import { createCertificateMetrics, createHttpMetrics, createServerMetrics } from "../http/metrics.ts";
import { requestIds } from "../http/request-ids.ts";
import { countedRoutes } from "../http/routes.ts";
import { RegistryServer } from "../http/server.ts";
import { TransferBuffers } from "../http/transfer-buffers.ts";

interface AnsweringParts {
  readonly config: ServeConfig;
  readonly content: RegistryContent;
  readonly elsewhere: Elsewhere;
  readonly tokens: ClientTokens;
  /** Whether clients may write, as of now. */
  readonly mode: () => RegistryMode;
  readonly live: LiveConfiguration;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What answers clients. @returns the server, and what it needs beside it */
export async function answering(
  parts: AnsweringParts,
): Promise<{ readonly server: RegistryServer; readonly beside: readonly Service[] }> {
  const { config, content, elsewhere, tokens, mode, live, registry, clock, log } = parts;
  const settings = (): RegistrySettings => live.current.settings;
  const key = await loadSigningKey(join(config.data, "auth", "token.key"), randomBytes);
  const authority = await TokenAuthority.create(tokens, clock, key);
  const certificate = await ensureCertificate(config.encryption, config.data, selfNames(config), clock, log);
  const attempts = new FailedAttempts(clock);
  const audit = new AuditLog(
    () => settings().audit.enabled,
    clock,
    (line) => process.stdout.write(line),
  );
  const app = createApp({
    ...{ content, elsewhere, tokens, authority, mode, clock, log, audit },
    logins: new Logins({ tokens, attempts, hash: hashBroughtPassword, random: randomBytes }),
    deleteEnabled: () => settings().deleteEnabled,
    metrics: createHttpMetrics(registry, countedRoutes),
    buffers: new TransferBuffers(),
    newId: requestIds(randomBytes),
  });
  const server = new RegistryServer({
    address: config.listen,
    listener: app,
    certificate: certificate?.current,
    limits: {
      connections: config.maxConnections,
      grace: seconds(config.graceSeconds),
      head: seconds(15),
      idle: seconds(120),
    },
    metrics: createServerMetrics(registry),
    about: () => summaryOf(config, live.current),
    clock,
    log,
  });
  const beside: Service[] = [...memoryReturn(() => server.activity, clock, log)];
  if (certificate !== undefined) {
    const reload = new CertificateReload(certificate, server, clock, log);
    createCertificateMetrics(registry, () => reload.inUse);
    beside.push(reload, ...certificate.keepers);
  }
  return { server, beside };
}

/** Under which names a certificate that we make for ourselves is good. */
function selfNames({ listen }: ServeConfig): readonly string[] {
  const anywhere = ["0.0.0.0", "::"].includes(listen.host);
  return [...new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(anywhere ? [] : [listen.host])])];
}
