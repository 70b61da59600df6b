import { Counter, Gauge, type Registry } from "prom-client";
import { removalKinds } from "./report.ts";
import type { CollectionMetrics } from "./service.ts";

const states = ["Succeeded", "Partial", "Failed", "Stopped"] as const;

export function createCollectionMetrics(registry: Registry): CollectionMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: "connected_registry_gc_runs_total",
    help: "Collections of garbage that have ended, by how; dry runs too.",
    labelNames: ["state"],
    registers,
  });
  const removed = new Counter({
    name: "connected_registry_gc_removed_total",
    help: "What collections of garbage have removed, by kind; a link is what a repository has of a blob.",
    labelNames: ["kind"],
    registers,
  });
  const bytes = new Counter({
    name: "connected_registry_gc_removed_bytes_total",
    help: "Bytes that collections of garbage have freed.",
    registers,
  });
  const running = new Gauge({
    name: "connected_registry_gc_running",
    help: "1 while garbage is collected.",
    registers,
  });
  const ended = new Gauge({
    name: "connected_registry_gc_last_end_timestamp_seconds",
    help: "End of the last collection of garbage since the start, 0 if there was none.",
    registers,
  });
  const faults = new Gauge({
    name: "connected_registry_gc_faults",
    help: "What the last collection of garbage could not look at, and so left alone.",
    registers,
  });
  for (const state of states) runs.inc({ state }, 0);
  for (const kind of removalKinds) removed.inc({ kind }, 0);
  return {
    removed: (kind, count) => {
      removed.inc({ kind });
      bytes.inc(count);
    },
    running: (now) => {
      running.set(Number(now));
    },
    ended: ({ state, endTime, faultCount }) => {
      runs.inc({ state });
      ended.set(Date.parse(endTime) / 1000);
      faults.set(faultCount);
    },
  };
}
