import { Counter, Gauge, type Registry } from "prom-client";
import type { OutboxSummary } from "../content/outbox/outbox.ts";

/** What going up counts. Every series exists from the start, so that rates are defined. */
export interface UpMetrics {
  ended(outcome: UpOutcome): void;
  sent(bytes: number): void;
}

const outcomes = ["sent", "present", "conflict", "refused", "failed"] as const;
type UpOutcome = (typeof outcomes)[number];

/** @param summary of what waits, asked whenever somebody looks */
export function createUpMetrics(registry: Registry, summary: () => OutboxSummary): UpMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (of: OutboxSummary) => number): void => {
    new Gauge({
      name: `connected_registry_up_${name}`,
      help,
      registers,
      collect() {
        this.set(value(summary()));
      },
    });
  };
  gauge(
    "pending",
    "Changes of clients that wait to go up to the parent, without those set aside.",
    ({ entries, setAside }) => entries - setAside,
  );
  gauge("pending_bytes", "The most that they take, if the parent has nothing of it.", ({ bytes }) => bytes);
  gauge(
    "oldest_timestamp_seconds",
    "When the oldest of them came, 0 if none waits.",
    ({ oldest }) => (oldest ?? 0) / 1000,
  );
  gauge("set_aside", "Changes that the parent refuses for good.", ({ setAside }) => setAside);
  const changes = new Counter({
    name: "connected_registry_up_changes_total",
    help: "Changes that were to go up, by what came of each try.",
    labelNames: ["outcome"],
    registers,
  });
  const bytes = new Counter({
    name: "connected_registry_up_blob_bytes_total",
    help: "Bytes of blobs that the parent has taken.",
    registers,
  });
  for (const outcome of outcomes) changes.inc({ outcome }, 0);
  return {
    ended: (outcome) => {
      changes.inc({ outcome });
    },
    sent: (count) => {
      bytes.inc(count);
    },
  };
}
