import { collectDefaultMetrics, Registry } from "prom-client";

/** One per program: every metric of the program is registered here and served on `/metrics`. */
export function createMetrics(): Registry {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  return metrics;
}
