import { Counter, Gauge, type Registry } from "prom-client";
import type { Pruning } from "../../content/prune/pruning.ts";

/** What pruning counts. */
export interface PruneMetrics {
  pruned(tags: number): void;
}

export function createPruneMetrics(registry: Registry, pruning: Pick<Pruning, "count">): PruneMetrics {
  const registers = [registry];
  const tags = new Counter({
    name: "connected_registry_prune_tags_total",
    help: "Tags removed because the parent has them no more, or the rules select them no more.",
    registers,
  });
  new Gauge({
    name: "connected_registry_prune_marked_tags",
    help: "Tags that are missing, and are pruned when their grace time is over, unless something keeps them.",
    registers,
    collect() {
      this.set(pruning.count().missing);
    },
  });
  new Gauge({
    name: "connected_registry_prune_recoverable_tags",
    help: "Pruned tags whose image is still here.",
    registers,
    collect() {
      this.set(pruning.count().pruned);
    },
  });
  return {
    pruned: (count) => {
      tags.inc(count);
    },
  };
}
