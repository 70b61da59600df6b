import type { Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import { parseRepository, type Tag } from "../../common/oci/reference.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { RegistryContent } from "../content/content.ts";
import { Confirmations } from "../demand/confirmations.ts";
import { createDemandMetrics } from "../demand/metrics.ts";
import { OnDemand } from "../demand/on-demand.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import type { PresentParent } from "../sync/parent.ts";
import { maySync } from "../sync/planning/select.ts";

interface DemandingParts {
  readonly content: RegistryContent;
  readonly live: LiveConfiguration;
  readonly board: StatusBoard;
  readonly parent: () => PresentParent | undefined;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What clients ask for beyond what is here, and how fresh what is here has to be. */
export function demandOf({ content, live, board, parent, registry, clock, log }: DemandingParts): {
  readonly elsewhere: OnDemand;
  readonly confirmations: Confirmations;
} {
  const confirmations = new Confirmations(clock);
  const sync = (): RegistrySettings["sync"] => {
    const { settings } = live.current;
    return settings.parent === undefined || settings.suspend ? undefined : settings.sync;
  };
  /** A sync that succeeded has confirmed all that it selects; of what it does not, the last change is all that is kept. */
  const since = async (repository: string, tag: Tag): Promise<number> => {
    const target = { kind: "tag", tag } as const;
    const changed = (await content.locks.describe(parseRepository(repository), target))?.updatedAt ?? 0;
    const { lastSyncTime } = board.current;
    const selected = await maySync(sync()?.repositories ?? [], repository, tag);
    return selected && lastSyncTime !== undefined ? Math.max(changed, Date.parse(lastSyncTime)) : changed;
  };
  const metrics = createDemandMetrics(registry);
  const elsewhere = new OnDemand({ content, sync, parent, confirmations, since, metrics, clock, log });
  let rules = "";
  const configure = ({ settings }: LiveConfiguration["current"]): void => {
    confirmations.configure(settings.sync?.freshness ?? []);
    const { parent: place, suspend, sync: asked } = settings;
    const now = JSON.stringify([place?.loginServer, suspend, asked?.onDemand, asked?.repositories]);
    if (now !== rules) elsewhere.forget();
    rules = now;
  };
  configure(live.current);
  live.subscribe(configure);
  return { elsewhere, confirmations };
}
