import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { seconds, systemClock as clock } from "../../common/clock.ts";
import { HttpsClusterApi } from "../../common/cluster/https-api.ts";
import type { InCluster } from "../../common/cluster/connection.ts";
import { hashBroughtPassword } from "../../common/contract/password.ts";
import type { PlanStatus } from "../../common/contract/status.ts";
import { createLog } from "../../common/log.ts";
import { createMetrics } from "../../common/metrics.ts";
import { Probes } from "../../common/probes.ts";
import { runServices, type Service } from "../../common/service.ts";
import { stopSignal } from "../../common/stop-signal.ts";
import { version } from "../../common/version.ts";
import { FailedAttempts } from "../auth/attempts.ts";
import { ClientTokens } from "../auth/client-tokens.ts";
import { Logins } from "../auth/logins.ts";
import { loadSigningKey } from "../auth/signing-key.ts";
import { TokenAuthority } from "../auth/token-authority.ts";
import { KeptConfiguration } from "../cluster/kept-configuration.ts";
import { podServices } from "../cluster/services.ts";
import { startingConfiguration } from "../cluster/starting-configuration.ts";
import { garbageCollection } from "./collecting.ts";
import type { ClusterIdentity, ServeConfig } from "../configuration/serve-config.ts";
import { LiveConfiguration, type Configuration } from "../configuration/live-configuration.ts";
import { ConfigurationFile } from "../configuration/configuration-file.ts";
import { demandOf } from "./demanding.ts";
import { contentCare, lowVolume } from "./content-care.ts";
import { openContent, type RegistryContent } from "../content/content.ts";
import { Housekeeping } from "../content/housekeeping.ts";
import { openWhenFree } from "../content/lock.ts";
import { FreeSpace, reserveOf, volumeOf } from "../content/rescue/free-space.ts";
import { LinkBudget } from "../link/budget.ts";
import { createLinkMetrics } from "../link/metrics.ts";
import { LinkUsage } from "../link/usage.ts";
import { createApp } from "../http/app.ts";
import { AuditLog } from "../http/audit.ts";
import { CertificateReload } from "../http/certificate.ts";
import { ensureCertificate } from "../http/encryption.ts";
import { memoryReturn } from "../http/memory-return.ts";
import {
  createCertificateMetrics,
  createContentMetrics,
  createHttpMetrics,
  createServerMetrics,
} from "../http/metrics.ts";
import { countedRoutes } from "../http/routes.ts";
import { RegistryServer } from "../http/server.ts";
import { overridden } from "../configuration/overrides.ts";
import { risksOf, summaryOf } from "../configuration/overview.ts";
import { PlanDesk } from "../plan/desk.ts";
import { KeptPlan } from "../plan/kept-plan.ts";
import { pruningOf } from "./pruning.ts";
import { requestIds } from "../http/request-ids.ts";
import { TransferBuffers } from "../http/transfer-buffers.ts";
import { statusPages } from "../status-pages.ts";
import { RemoteRegistry } from "../remote/registry.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import { SyncDetails } from "../sync/telling/details.ts";
import { SyncEngine } from "../sync/engine.ts";
import { createUpMetrics } from "../up/metrics.ts";
import { upPage } from "../up/pages.ts";
import { UpSync } from "../up/up-sync.ts";
import { Witness } from "../up/witness.ts";
import { FileJournal } from "../sync/telling/journal.ts";
import { createProgressMetrics, createSyncMetrics } from "../sync/telling/metrics.ts";
import type { PresentParent } from "../sync/parent.ts";

/** By what a registry runs: where its settings come from, and how they reach it when they change. */
export type Source =
  | { readonly kind: "options"; readonly initial: Configuration }
  | { readonly kind: "file"; readonly path: string; readonly initial: Configuration }
  | {
      readonly kind: "cluster";
      readonly api: InCluster;
      readonly place: ClusterIdentity;
      readonly podName: string;
      /** The settings as they are mounted into the pod. */
      readonly mounted: string;
    };

/**
 * Builds a registry and runs it until the process is told to stop. Nothing but composition: what there is, is built
 * here, and what it does is elsewhere.
 */
export async function serve(config: ServeConfig, source: Source): Promise<void> {
  const logs = createLog("registry", config.overrides.logLevel ?? "Information", process.stdout);
  const log = logs.logger;
  const kept = new KeptConfiguration(join(config.data, "config"), log);
  const initial =
    source.kind === "cluster" ? await startingConfiguration(source.mounted, kept, log) : source.initial;
  const live = new LiveConfiguration(initial, (settings) => overridden(settings, config.overrides));
  const settings = (): Configuration["settings"] => live.current.settings;
  const tokens = new ClientTokens(clock, config.anonymous);
  const apply = ({ settings: { logLevel }, clientTokens }: Configuration): void => {
    logs.setLevel(logLevel);
    for (const fault of tokens.replace(clientTokens))
      log.warn("a client token is not used in full", { fault });
  };
  apply(live.current);
  live.subscribe(apply);
  for (const risk of risksOf(config, live.current)) log.warn(risk);

  const board = new StatusBoard(version, clock, randomUUID);
  const details = new SyncDetails();
  const space = new FreeSpace(
    () => volumeOf(config.data),
    (size) => settings().storageReserveBytes ?? reserveOf(size),
    (low) => {
      board.setFault("Volume", low ? lowVolume : undefined);
    },
    clock,
    log,
  );

  const stop = stopSignal();
  const open = (): Promise<RegistryContent> =>
    openContent(config.data, {
      ...{ clock, newId: randomUUID, space },
      quota: () => settings().storageQuotaBytes,
      repositoryQuotas: () => settings().quotas,
      goesUp: () => settings().mode === "ReadWrite" && settings().parent !== undefined,
    });
  const patience = source.kind === "cluster" ? seconds(120) : seconds(5);
  const content = await openWhenFree(open, patience, clock, log, stop);
  try {
    const key = await loadSigningKey(join(config.data, "auth", "token.key"), randomBytes);
    const authority = await TokenAuthority.create(tokens, clock, key);
    const registry = createMetrics();
    const metrics = createHttpMetrics(registry, countedRoutes);
    createContentMetrics(registry, config.data, content, () => settings().storageQuotaBytes);
    const certificate = await ensureCertificate(
      config.encryption,
      config.data,
      selfNames(config),
      clock,
      log,
    );
    const mode = (): Configuration["settings"]["mode"] => settings().mode;
    const deleteEnabled = (): boolean => settings().deleteEnabled;
    const attempts = new FailedAttempts(clock);
    const logins = new Logins({ tokens, attempts, hash: hashBroughtPassword, random: randomBytes });
    const audit = new AuditLog(
      () => settings().audit.enabled,
      clock,
      (line) => process.stdout.write(line),
    );
    const parent = (): PresentParent | undefined => engine.parent();
    const { elsewhere, confirmations } = demandOf({ content, live, board, parent, registry, clock, log });
    const app = createApp({
      ...{ content, elsewhere, tokens, logins, authority, mode, deleteEnabled, clock, log, audit, metrics },
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
    const link: LinkBudget = new LinkBudget(
      {
        usage: await LinkUsage.restore(join(config.data, "link", "usage.json"), log),
        counted: createLinkMetrics(registry, () => link.status),
        show: (status) => {
          board.update({ link: status });
        },
        clock,
      },
      live.current.settings,
    );
    live.subscribe((next) => {
      link.configure(next.settings);
    });
    const witness = new Witness(content.outbox.course, source.kind === "cluster", log);
    const prune = pruningOf({ content, settings, board, registry, clock, log });
    const engine: SyncEngine = new SyncEngine({
      configuration: live,
      content,
      confirmations,
      connect: (parent, observer) =>
        new RemoteRegistry(parent, { clock, random: Math.random, observer, gate: link }),
      linkClosedUntil: () => link.closedUntil,
      pruner: prune.pruner,
      up: new UpSync({
        ...{ content, board, witness, clock, log },
        linkClosedUntil: () => link.closedUntil,
        metrics: createUpMetrics(registry, () => content.outbox.summary()),
        random: Math.random,
      }),
      board,
      details,
      journal: new FileJournal(join(config.data, "sync", "journal.json"), log),
      metrics: createSyncMetrics(registry),
      clock,
      random: Math.random,
      log,
    });
    const collecting = garbageCollection({ content, live, board, registry, clock, log });
    // The server ends before those by whose help running requests are answered.
    const services: Service[] = [link, engine, elsewhere, server];
    services.push(new Housekeeping(content, clock, log), collecting);
    services.push(...memoryReturn(() => server.activity, clock, log));
    if (certificate !== undefined) {
      const reload = new CertificateReload(certificate, server, clock, log);
      createCertificateMetrics(registry, () => reload.inUse);
      services.push(reload, ...certificate.keepers);
    }
    if (source.kind === "file") {
      services.push(new ConfigurationFile(source.path, source.initial, live, board, clock, log));
    }
    if (source.kind === "cluster") {
      const { place, podName } = source;
      const api = new HttpsClusterApi(source.api, clock, Math.random, log);
      services.push(
        ...podServices({
          ...{ api, place, podName, live, kept, board, memory: witness, clock, log },
          random: Math.random,
        }),
      );
    }
    const parts = { content, space, settings, board, recover: engine.recover, metrics: registry, clock, log };
    const care = contentCare(parts);
    services.push(...care.services);
    const status = {
      path: "/status",
      read: () => {
        // First: it tells the board what is true now.
        const storage = care.status();
        return { ...board.current, storage, garbageCollection: collecting.status, prune: prune.status() };
      },
    };
    createProgressMetrics(registry, () => board.current);
    const keptPlan = new KeptPlan(join(config.data, "plan", "plan.ndjson"), log);
    const show = (plan: PlanStatus): void => {
      board.update({ plan });
    };
    const planDesk = new PlanDesk({
      live,
      content,
      parent: engine.visibleParent,
      kept: keptPlan,
      show,
      clock,
      log,
    });
    services.push(planDesk);
    const pages = [...statusPages(details), planDesk.page];
    const probes = new Probes(config.probes, services, registry, stop, [
      status,
      ...pages,
      upPage(content.outbox),
    ]);
    await runServices([probes, ...services], stop, log);
  } finally {
    await content.close();
  }
}

/** Under which names a certificate that we make for ourselves is good. */
function selfNames({ listen }: ServeConfig): readonly string[] {
  const anywhere = ["0.0.0.0", "::"].includes(listen.host);
  return [...new Set(["localhost", "127.0.0.1", "::1", hostname(), ...(anywhere ? [] : [listen.host])])];
}
