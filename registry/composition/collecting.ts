import type { Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import { createCollectionMetrics } from "../content/collect/metrics.ts";
import { GarbageCollection } from "../content/collect/service.ts";
import type { RegistryContent } from "../content/content.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import { maySync } from "../sync/planning/select.ts";

interface CollectingParts {
  readonly content: RegistryContent;
  readonly live: LiveConfiguration;
  readonly board: StatusBoard;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Garbage collection that knows of the sync: what that would bring back stays, and nothing ages while the parent is away (T53). */
export function garbageCollection(parts: CollectingParts): GarbageCollection {
  const { content, live, board, registry, clock, log } = parts;
  const settings = (): LiveConfiguration["current"]["settings"] => live.current.settings;
  return new GarbageCollection({
    collector: content.collector,
    settings,
    mayExpire: () => settings().parent === undefined || board.contact === "online",
    wanted: async (repository, tag) => {
      const { parent, sync } = settings();
      return (
        parent !== undefined && sync !== undefined && (await maySync(sync.repositories, repository, tag))
      );
    },
    metrics: createCollectionMetrics(registry),
    tell: (description) => {
      board.setFault(
        "GarbageCollection",
        description === undefined ? undefined : { code: "GarbageNotCollected", description },
      );
    },
    clock,
    log,
  });
}
