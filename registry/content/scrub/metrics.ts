import { Counter, Gauge, type Registry } from "prom-client";
import type { CareMetrics } from "../rescue/care.ts";

type Finding = "sound" | "damaged" | "gone";
const findings = ["sound", "damaged", "gone"] as const satisfies readonly Finding[];

/** What scrubs count. */
export interface ScrubMetrics {
  judged(kind: "blob" | "manifest", finding: Finding, bytes: number): void;
  /** A scrub of everything has ended. @param now in seconds since 1970 */
  completed(now: number): void;
}

/** @param quarantined how much is in quarantine now */
export function createScrubMetrics(registry: Registry, quarantined: () => number): ScrubMetrics {
  const registers = [registry];
  const judged = new Counter({
    name: "connected_registry_scrub_checked_total",
    help: "Stored content that was checked, by kind and by what was found.",
    labelNames: ["kind", "finding"],
    registers,
  });
  const bytes = new Counter({
    name: "connected_registry_scrub_bytes_total",
    help: "Bytes that were read to be checked.",
    registers,
  });
  const runs = new Counter({
    name: "connected_registry_scrub_runs_total",
    help: "Checks of everything that were completed.",
    registers,
  });
  const last = new Gauge({
    name: "connected_registry_scrub_last_completed_timestamp_seconds",
    help: "End of the last check of everything, 0 if none ended since the start.",
    registers,
  });
  new Gauge({
    name: "connected_registry_quarantined",
    help: "Blobs and manifests that were found damaged, and of which no good copy has come yet.",
    registers,
    collect() {
      this.set(quarantined());
    },
  });
  for (const kind of ["blob", "manifest"]) for (const finding of findings) judged.inc({ kind, finding }, 0);
  return {
    judged: (kind, finding, count) => {
      judged.inc({ kind, finding });
      bytes.inc(count);
    },
    completed: (now) => {
      runs.inc();
      last.set(now);
    },
  };
}

/** @param rescued whether the database was replaced at this start */
export function createCareMetrics(registry: Registry, rescued: boolean): CareMetrics {
  const registers = [registry];
  const copies = new Counter({
    name: "connected_registry_database_backups_total",
    help: "Copies of the database that were made and checked, by outcome.",
    labelNames: ["outcome"],
    registers,
  });
  const bytes = new Gauge({
    name: "connected_registry_database_backup_bytes",
    help: "Bytes of all copies of the database.",
    registers,
  });
  const taken = new Gauge({
    name: "connected_registry_database_backup_timestamp_seconds",
    help: "When the newest copy of the database was made, 0 if there is none.",
    registers,
  });
  new Gauge({
    name: "connected_registry_database_replaced",
    help: "1 if the database was damaged, and its backup took its place at this start.",
    registers,
  }).set(Number(rescued));
  for (const outcome of ["succeeded", "failed"]) copies.inc({ outcome }, 0);
  return {
    copied: (outcome) => {
      copies.inc({ outcome });
    },
    kept: (count, at) => {
      bytes.set(count);
      taken.set(at);
    },
  };
}

export function createSpaceMetrics(registry: Registry, space: { readonly low: boolean }): void {
  new Gauge({
    name: "connected_registry_storage_low",
    help: "1 while writes are refused because the volume is almost full.",
    registers: [registry],
    collect() {
      this.set(Number(space.low));
    },
  });
}
