import { Registry } from "prom-client";
import { createHttpMetrics, createServerMetrics, type HttpMetrics, type ServerMetrics } from "../metrics.ts";
import { countedRoutes } from "../routes.ts";

/** Metrics that nobody reads. */
export function testMetrics(): HttpMetrics {
  return createHttpMetrics(new Registry(), countedRoutes);
}

/** Metrics of these routes, and how they are read. */
export function meteredMetrics(routes: Parameters<typeof createHttpMetrics>[1]): {
  readonly metrics: HttpMetrics;
  readonly text: () => Promise<string>;
} {
  const registry = new Registry();
  return { metrics: createHttpMetrics(registry, routes), text: () => registry.metrics() };
}

export function testServerMetrics(): ServerMetrics {
  return createServerMetrics(new Registry());
}
