import { Registry } from "prom-client";
import { createHttpMetrics, createServerMetrics, type HttpMetrics, type ServerMetrics } from "../metrics.ts";
import { countedRoutes } from "../routes.ts";

/** Metrics that nobody reads. */
export function testMetrics(): HttpMetrics {
  return createHttpMetrics(new Registry(), countedRoutes);
}

export function testServerMetrics(): ServerMetrics {
  return createServerMetrics(new Registry());
}
