import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { seconds, systemClock as clock } from "../../common/clock.ts";
import type { InCluster } from "../../common/cluster/connection.ts";
import { HttpsClusterApi } from "../../common/cluster/https-api.ts";
import { createLog } from "../../common/log.ts";
import { createMetrics } from "../../common/metrics.ts";
import { Probes } from "../../common/probes.ts";
import { runServices, type Service } from "../../common/service.ts";
import { stopSignal } from "../../common/stop-signal.ts";
import { version } from "../../common/version.ts";
import { ClientTokens } from "../auth/client-tokens.ts";
import { KeptConfiguration } from "../cluster/kept-configuration.ts";
import { podServices } from "../cluster/services.ts";
import { startingConfiguration } from "../cluster/starting-configuration.ts";
import { ConfigurationFile } from "../configuration/configuration-file.ts";
import { LiveConfiguration, type Configuration } from "../configuration/live-configuration.ts";
import { overridden } from "../configuration/overrides.ts";
import { risksOf } from "../configuration/overview.ts";
import type { ClusterIdentity, ServeConfig } from "../configuration/serve-config.ts";
import { openContent, type RegistryContent } from "../content/content.ts";
import { Housekeeping } from "../content/housekeeping.ts";
import { openWhenFree } from "../content/lock.ts";
import { FreeSpace, reserveOf, volumeOf } from "../content/rescue/free-space.ts";
import { createContentMetrics } from "../http/metrics.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import { Draining } from "../up/draining.ts";
import { answering } from "./answering.ts";
import { garbageCollection } from "./collecting.ts";
import { contentCare, lowVolume } from "./content-care.ts";
import { syncing } from "./syncing.ts";

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
  const space = new FreeSpace(
    () => volumeOf(config.data),
    (size) => settings().storageReserveBytes ?? reserveOf(size),
    (low) => {
      board.setFault("Volume", low ? lowVolume : undefined);
    },
    clock,
    log,
  );

  const draining = new Draining(settings);
  const stop = stopSignal();
  const open = (): Promise<RegistryContent> =>
    openContent(config.data, {
      ...(source.kind === "cluster" ? { holder: source.podName } : {}),
      ...{ clock, newId: randomUUID, space },
      quota: () => settings().storageQuotaBytes,
      repositoryQuotas: () => settings().quotas,
      goesUp: draining.goesUp,
    });
  const patience = source.kind === "cluster" ? seconds(120) : seconds(5);
  const content = await openWhenFree(open, patience, clock, log, stop);
  try {
    const registry = createMetrics();
    createContentMetrics(registry, config.data, content, () => settings().storageQuotaBytes);
    const shared = { content, live, registry, clock, log };
    const remembered = source.kind === "cluster";
    draining.follow(content.outbox, live, board);
    const sync = await syncing({ ...shared, board, data: config.data, remembered });
    const { link, engine, elsewhere, planDesk, witness } = sync;
    const { server, beside } = await answering({ ...shared, config, elsewhere, tokens, mode: draining.mode });
    const collecting = garbageCollection({ ...shared, board });
    // The server ends before those by whose help running requests are answered.
    const services: Service[] = [link, engine, elsewhere, server];
    services.push(new Housekeeping(content, clock, log), collecting, planDesk, ...beside);
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
        return { ...board.current, storage, garbageCollection: collecting.status, prune: sync.pruned() };
      },
    };
    const documents = [status, ...sync.pages];
    const probes = new Probes(config.probes, services, registry, stop, documents);
    await runServices([probes, ...services], stop, log);
  } finally {
    await content.close();
  }
}
