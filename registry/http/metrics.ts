import { X509Certificate } from "node:crypto";
import { statfs } from "node:fs/promises";
import { Counter, Gauge, type Metric, type Registry } from "prom-client";
import type { Certificate } from "./certificate.ts";
import { RequestCounts, type RequestOutcome } from "./request-counts.ts";

/** What the API counts. */
export interface HttpMetrics {
  /** A request begins. */
  readonly begin: () => void;
  /** One that began is over. */
  readonly end: (outcome: RequestOutcome) => void;
  readonly authFailures: Counter;
}

/** @param routes every route that will be counted, so that each begins at zero */
export function createHttpMetrics(
  registry: Registry,
  routes: readonly { readonly name: string; readonly method: string }[],
): HttpMetrics {
  const registers = [registry];
  const counts = new RequestCounts(routes);
  new Counter({
    name: "connected_registry_http_requests_total",
    help: "Requests answered, by route, method and class of status.",
    labelNames: ["route", "method", "status"],
    registers,
    collect() {
      this.reset();
      for (const { labels, value } of counts.requests()) this.inc(labels, value);
    },
  });
  registerHistogram(
    registry,
    "connected_registry_http_request_duration_seconds",
    "Time from the request's head to the end of the answer.",
    counts,
  );
  for (const [direction, help] of [
    ["received", "Bytes of request bodies."],
    ["sent", "Bytes of answers, with their heads."],
  ] as const) {
    new Counter({
      name: `connected_registry_http_${direction}_bytes_total`,
      help,
      labelNames: ["route"],
      registers,
      collect() {
        this.reset();
        for (const { labels, value } of counts.bytes(direction)) this.inc(labels, value);
      },
    });
  }
  new Gauge({
    name: "connected_registry_http_requests_in_flight",
    help: "Requests that are being answered.",
    registers,
    collect() {
      this.set(counts.inFlight);
    },
  });
  const authFailures = new Counter({
    name: "connected_registry_auth_failures_total",
    help: "Requests whose credentials were refused.",
    registers,
  });
  return {
    begin: () => {
      counts.begin();
    },
    end: (outcome) => {
      counts.end(outcome);
    },
    authFailures,
  };
}

/** A histogram whose values somebody else counts, for which prom-client has no class of its own. */
function registerHistogram(registry: Registry, name: string, help: string, counts: RequestCounts): void {
  const get = async (): Promise<object> => {
    const values = counts
      .durations()
      .map(({ series, labels, value }) => ({ metricName: `${name}_${series}`, labels, value }));
    return { name, help, type: "histogram", aggregator: "sum", values };
  };
  registry.registerMetric({ name, help, get } as unknown as Metric);
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
