import { Registry } from "prom-client";
import { createHttpMetrics, type HttpMetrics } from "../metrics.ts";
import { countedRoutes } from "../routes.ts";

/** Metrics that nobody reads. */
export function testMetrics(): HttpMetrics {
  return createHttpMetrics(new Registry(), countedRoutes);
}
