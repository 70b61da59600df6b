import { DateTime } from "luxon";
import { Counter, Gauge, type Registry } from "prom-client";
import type { RegistryStatus, SyncStatus } from "../../../common/contract/status.ts";

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
  const saved = new Counter({
    name: "connected_registry_sync_saved_bytes_total",
    help: "Bytes of layers and configurations that copied images need, and that were here already.",
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
      saved.inc(sync.bytesSaved ?? 0);
      if (sync.state === "Succeeded") success.set(now);
    },
  };
}

/** What the sync that runs, or ran last, shows of itself; read when somebody asks. */
export function createProgressMetrics(registry: Registry, status: () => RegistryStatus): void {
  const registers = [registry];
  const upToDate = new Gauge({
    name: "connected_registry_sync_up_to_date_timestamp_seconds",
    help: "All that the policy selected at the parent at this time was here, 0 if that never was: the lag is the time since.",
    registers,
    collect: () => {
      upToDate.set(DateTime.fromISO(status().upToDateAsOf ?? "1970-01-01T00:00:00Z").toSeconds());
    },
  });
  const running = new Gauge({
    name: "connected_registry_sync_running",
    help: "1 while a sync has something to copy.",
    registers,
    collect: () => {
      running.set(Number(status().sync?.state === "Syncing"));
    },
  });
  const tags = new Gauge({
    name: "connected_registry_sync_run_tags",
    help: "Tags that the policy selects, of the sync that runs or ran last, by what came of them so far; `open`: nothing yet.",
    labelNames: ["outcome"],
    registers,
    collect: () => {
      const counts = status().sync?.tags;
      const tried = outcomes.reduce((sum, outcome) => sum + (counts?.[outcome] ?? 0), 0);
      for (const outcome of outcomes) tags.set({ outcome }, counts?.[outcome] ?? 0);
      tags.set({ outcome: "open" }, Math.max(0, (counts?.selected ?? 0) - tried));
    },
  });
  const bytes = new Gauge({
    name: "connected_registry_sync_run_bytes",
    help: "Bytes of the sync that runs or ran last: `received` from the parent, `planned` as far as it is known what is missing, `saved` since they were here.",
    labelNames: ["kind"],
    registers,
    collect: () => {
      const { bytes: received, bytesPlanned, bytesSaved } = status().sync ?? {};
      bytes.set({ kind: "received" }, received ?? 0);
      bytes.set({ kind: "planned" }, bytesPlanned ?? 0);
      bytes.set({ kind: "saved" }, bytesSaved ?? 0);
    },
  });
}
