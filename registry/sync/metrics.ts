import { Counter, Gauge, type Registry } from "prom-client";
import type { SyncStatus } from "../../common/contract/status.ts";

/** What the sync counts. Every series exists from the start, so that rates are defined. */
export interface SyncMetrics {
  requested(status: number | "none"): void;
  received(bytes: number): void;
  reachable(yes: boolean): void;
  ended(sync: SyncStatus, now: number): void;
}

const states = ["Succeeded", "Partial", "Failed", "TimedOut", "Pending"] as const;
const outcomes = ["upToDate", "copied", "failed", "postponed"] as const;
const answers = ["2xx", "3xx", "4xx", "5xx", "none"] as const;

export function createSyncMetrics(registry: Registry): SyncMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: "connected_registry_sync_runs_total",
    help: "Syncs with the parent, by how they ended.",
    labelNames: ["state"],
    registers,
  });
  const tags = new Counter({
    name: "connected_registry_sync_tags_total",
    help: "Selected tags, by what came of them.",
    labelNames: ["outcome"],
    registers,
  });
  const bytes = new Counter({
    name: "connected_registry_parent_received_bytes_total",
    help: "Bytes of bodies received from the parent.",
    registers,
  });
  const success = new Gauge({
    name: "connected_registry_sync_last_success_timestamp_seconds",
    help: "End of the last sync that succeeded, 0 if none did since the start.",
    registers,
  });
  const requests = new Counter({
    name: "connected_registry_parent_requests_total",
    help: "Requests to the parent, by class of the answer's status.",
    labelNames: ["status"],
    registers,
  });
  const reachable = new Gauge({
    name: "connected_registry_parent_reachable",
    help: "1 if the parent answered when it was last asked.",
    registers,
  });
  for (const state of states) runs.inc({ state }, 0);
  for (const outcome of outcomes) tags.inc({ outcome }, 0);
  for (const status of answers) requests.inc({ status }, 0);
  return {
    requested: (status) => {
      requests.inc({ status: status === "none" ? status : `${Math.floor(status / 100)}xx` });
    },
    received: (count) => {
      bytes.inc(count);
    },
    reachable: (yes) => {
      reachable.set(Number(yes));
    },
    ended: (sync, now) => {
      runs.inc({ state: sync.state });
      for (const outcome of outcomes) tags.inc({ outcome }, sync.tags[outcome]);
      if (sync.state === "Succeeded") success.set(now);
    },
  };
}
