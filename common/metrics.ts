import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { version } from "./version.ts";

/** One per program: every metric of the program is registered here and served on `/metrics`. */
export function createMetrics(): Registry {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  new Gauge({
    name: "connected_registry_build_info",
    help: "Always 1; its label is the version of the program.",
    labelNames: ["version"],
    registers: [metrics],
  }).set({ version }, 1);
  return metrics;
}
