import { join } from "node:path";
import type { Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import type { ProbeDocument } from "../../common/probes.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { RegistryContent } from "../content/content.ts";
import type { OnDemand } from "../demand/on-demand.ts";
import { LinkBudget } from "../link/budget.ts";
import { createLinkMetrics } from "../link/metrics.ts";
import { LinkUsage } from "../link/usage.ts";
import { PlanDesk } from "../plan/desk.ts";
import { KeptPlan } from "../plan/kept-plan.ts";
import { RemoteRegistry } from "../remote/registry.ts";
import { statusPages } from "../status-pages.ts";
import { SyncEngine } from "../sync/engine.ts";
import type { PresentParent } from "../sync/parent.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import { SyncDetails } from "../sync/telling/details.ts";
import { FileJournal } from "../sync/telling/journal.ts";
import { createProgressMetrics, createSyncMetrics } from "../sync/telling/metrics.ts";
import { createUpMetrics } from "../up/metrics.ts";
import { upPage } from "../up/pages.ts";
import { UpSync } from "../up/up-sync.ts";
import { Witness } from "../up/witness.ts";
import { demandOf } from "./demanding.ts";
import { pruningOf } from "./pruning.ts";

interface SyncingParts {
  readonly content: RegistryContent;
  readonly live: LiveConfiguration;
  readonly board: StatusBoard;
  /** Where link, sync and plan keep what they know. */
  readonly data: string;
  /** Whether a cluster remembers how far this registry's volume has come. */
  readonly remembered: boolean;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Syncing {
  readonly link: LinkBudget;
  readonly engine: SyncEngine;
  readonly elsewhere: OnDemand;
  readonly planDesk: PlanDesk;
  readonly witness: Witness;
  /** Of pruning, for `/status`. */
  readonly pruned: () => object;
  /** What `/status` has no room for. */
  readonly pages: readonly ProbeDocument[];
}

/** All that goes on with the parent: what comes, what goes up, what is fetched when asked for, and the link that they share. */
export async function syncing(parts: SyncingParts): Promise<Syncing> {
  const { content, live, board, data, remembered, registry, clock, log } = parts;
  const settings = (): RegistrySettings => live.current.settings;
  const random = Math.random;
  const link: LinkBudget = new LinkBudget(
    {
      usage: await LinkUsage.restore(join(data, "link", "usage.json"), log),
      counted: createLinkMetrics(registry, () => link.status),
      show: (status) => {
        board.update({ link: status });
      },
      clock,
    },
    settings(),
  );
  live.subscribe((next) => {
    link.configure(next.settings);
  });
  const linkClosedUntil = (): LinkBudget["closedUntil"] => link.closedUntil;
  const parent = (): PresentParent | undefined => engine.parent();
  const { elsewhere, confirmations } = demandOf({ content, live, board, parent, registry, clock, log });
  const witness = new Witness(content.outbox.course, remembered, log);
  const prune = pruningOf({ content, settings, board, registry, clock, log });
  const metrics = createUpMetrics(registry, () => content.outbox.summary());
  const details = new SyncDetails();
  const engine: SyncEngine = new SyncEngine({
    configuration: live,
    ...{ content, confirmations, linkClosedUntil, board, details, clock, random, log },
    connect: (settings, observer) => new RemoteRegistry(settings, { clock, random, observer, gate: link }),
    pruner: prune.pruner,
    up: new UpSync({ content, board, witness, linkClosedUntil, metrics, clock, random, log }),
    journal: new FileJournal(join(data, "sync", "journal.json"), log),
    metrics: createSyncMetrics(registry),
  });
  createProgressMetrics(registry, () => board.current);
  const planDesk = new PlanDesk({
    ...{ live, content, clock, log },
    parent: engine.visibleParent,
    kept: new KeptPlan(join(data, "plan", "plan.ndjson"), log),
    show: (plan) => {
      board.update({ plan });
    },
  });
  const pages = [...statusPages(details), planDesk.page, upPage(content.outbox)];
  return { link, engine, elsewhere, planDesk, witness, pruned: prune.status, pages };
}
