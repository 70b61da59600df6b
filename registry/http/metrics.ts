import { X509Certificate } from "node:crypto";
import { statfs } from "node:fs/promises";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Certificate } from "./certificate.ts";

const statusClasses = ["2xx", "3xx", "4xx", "5xx"] as const;

/** What the API counts. */
export interface HttpMetrics {
  readonly requests: Counter<"route" | "method" | "status">;
  readonly duration: Histogram<"route">;
  readonly received: Counter<"route">;
  readonly sent: Counter<"route">;
  readonly inFlight: Gauge;
  readonly authFailures: Counter;
}

/** @param routes every route that will be counted, so that each begins at zero */
export function createHttpMetrics(
  registry: Registry,
  routes: readonly { readonly name: string; readonly method: string }[],
): HttpMetrics {
  const registers = [registry];
  const metrics: HttpMetrics = {
    requests: new Counter({
      name: "connected_registry_http_requests_total",
      help: "Requests answered, by route, method and class of status.",
      labelNames: ["route", "method", "status"],
      registers,
    }),
    duration: new Histogram({
      name: "connected_registry_http_request_duration_seconds",
      help: "Time from the request's head to the end of the answer.",
      labelNames: ["route"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    received: new Counter({
      name: "connected_registry_http_received_bytes_total",
      help: "Bytes of request bodies.",
      labelNames: ["route"],
      registers,
    }),
    sent: new Counter({
      name: "connected_registry_http_sent_bytes_total",
      help: "Bytes of answers, with their heads.",
      labelNames: ["route"],
      registers,
    }),
    inFlight: new Gauge({
      name: "connected_registry_http_requests_in_flight",
      help: "Requests that are being answered.",
      registers,
    }),
    authFailures: new Counter({
      name: "connected_registry_auth_failures_total",
      help: "Requests whose credentials were refused.",
      registers,
    }),
  };
  for (const { name, method } of routes) {
    for (const status of statusClasses) metrics.requests.inc({ route: name, method, status }, 0);
  }
  for (const name of new Set(routes.map((route) => route.name))) {
    metrics.duration.zero({ route: name });
    metrics.received.inc({ route: name }, 0);
    metrics.sent.inc({ route: name }, 0);
  }
  return metrics;
}

export function statusClass(status: number): string {
  return statusClasses[Math.floor(status / 100) - 2] ?? "4xx";
}

/** What the server counts of connections. */
export interface ServerMetrics {
  readonly connections: Gauge;
  readonly refused: Counter;
  readonly handshakeErrors: Counter;
}

export function createServerMetrics(registry: Registry): ServerMetrics {
  const registers = [registry];
  return {
    connections: new Gauge({
      name: "connected_registry_http_connections",
      help: "Connections that are open.",
      registers,
    }),
    refused: new Counter({
      name: "connected_registry_http_connections_refused_total",
      help: "Connections that were closed at once because there were as many as there may be.",
      registers,
    }),
    handshakeErrors: new Counter({
      name: "connected_registry_tls_handshake_errors_total",
      help: "Connections on which no TLS handshake came about.",
      registers,
    }),
  };
}

/** @param current the certificate in use */
export function createCertificateMetrics(registry: Registry, current: () => Certificate): void {
  new Gauge({
    name: "connected_registry_tls_certificate_expiry_timestamp_seconds",
    help: "When the certificate in use expires, in seconds since 1970.",
    registers: [registry],
    collect() {
      this.set(Date.parse(new X509Certificate(current().cert).validTo) / 1000);
    },
  });
}

/**
 * What the store holds, read when it is asked for.
 *
 * @param directory where it is kept
 */
export function createContentMetrics(
  registry: Registry,
  directory: string,
  content: { usage(): Promise<number>; readonly uploads: { readonly count: number } },
  quota: () => number | undefined,
): void {
  new Gauge({
    name: "connected_registry_storage_bytes",
    help: "Bytes of all blobs and manifests, each counted once.",
    registers: [registry],
    async collect() {
      this.set(await content.usage());
    },
  });
  new Gauge({
    name: "connected_registry_storage_quota_bytes",
    help: "Upper bound of the stored content by the settings; +Inf where there is none.",
    registers: [registry],
    collect() {
      this.set(quota() ?? Infinity);
    },
  });
  new Gauge({
    name: "connected_registry_storage_size_bytes",
    help: "Size of the volume that the content is kept on.",
    registers: [registry],
    async collect() {
      const { blocks, bsize } = await statfs(directory);
      this.set(blocks * bsize);
    },
  });
  new Gauge({
    name: "connected_registry_storage_free_bytes",
    help: "What is free of that volume for the registry.",
    registers: [registry],
    async collect() {
      const { bavail, bsize } = await statfs(directory);
      this.set(bavail * bsize);
    },
  });
  new Gauge({
    name: "connected_registry_uploads_open",
    help: "Uploads that were begun and neither finished, cancelled nor expired.",
    registers: [registry],
    collect() {
      this.set(content.uploads.count);
    },
  });
}
