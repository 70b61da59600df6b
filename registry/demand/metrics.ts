import { Counter, Gauge, type Registry } from "prom-client";

/** What came of comparing a tag that is here with the parent, or of not doing so. */
type FreshnessOutcome = "fresh" | "confirmed" | "newer" | "gone" | "stale";

/** What is counted of what clients ask for and is not here, or may be out of date. Every series exists from the start. */
export interface DemandMetrics {
  /** A client asked for something that is not here. */
  readonly asked: (kind: "manifest" | "blob", outcome: DemandOutcome) => void;
  /** Something is here now since a client asked for it. */
  readonly fetched: (kind: "manifest" | "blob") => void;
  /** A tag that a rule of freshness is about was pulled. @param ageSeconds since the parent confirmed it */
  readonly judged: (outcome: FreshnessOutcome, ageSeconds: number) => void;
}

type DemandOutcome = "found" | "absent" | "failed";

const kinds = ["manifest", "blob"] as const;
const demandOutcomes = ["found", "absent", "failed"] as const;
const freshnessOutcomes = ["fresh", "confirmed", "newer", "gone", "stale"] as const;

export function createDemandMetrics(registry: Registry): DemandMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "connected_registry_demand_requests_total",
    help: "Requests of clients for what is not here and may be fetched from the parent, by what came of them.",
    labelNames: ["kind", "outcome"],
    registers,
  });
  const fetched = new Counter({
    name: "connected_registry_demand_fetched_total",
    help: "What was fetched from the parent because clients asked for it, each once.",
    labelNames: ["kind"],
    registers,
  });
  const judged = new Counter({
    name: "connected_registry_freshness_pulls_total",
    help: "Pulls of tags that a rule of freshness is about: known to be fresh, confirmed by the parent, replaced by something newer, gone at the parent, or served although the parent did not answer.",
    labelNames: ["outcome"],
    registers,
  });
  const age = new Gauge({
    name: "connected_registry_freshness_stale_seconds",
    help: "Of the tag that was last served although the parent did not answer, how long ago it was confirmed; 0 when the parent last answered.",
    registers,
  });
  for (const kind of kinds) {
    fetched.inc({ kind }, 0);
    for (const outcome of demandOutcomes) requests.inc({ kind, outcome }, 0);
  }
  for (const outcome of freshnessOutcomes) judged.inc({ outcome }, 0);
  return {
    asked: (kind, outcome) => {
      requests.inc({ kind, outcome });
    },
    fetched: (kind) => {
      fetched.inc({ kind });
    },
    judged: (outcome, ageSeconds) => {
      judged.inc({ outcome });
      if (outcome === "stale") age.set(ageSeconds);
      else if (outcome !== "fresh") age.set(0);
    },
  };
}
