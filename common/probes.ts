import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { createServer } from "./http/node-http.ts";
import type { Service } from "./service.ts";

/** A JSON document served beside the probes, such as `/status`. */
export interface ProbeDocument {
  readonly path: string;
  read(): unknown;
}

/**
 * `/livez`, `/readyz` and `/metrics` on a port of their own. Live means the event loop turns; ready means that every
 * service of `services` can take traffic (never that a parent registry can be reached).
 */
export class Probes implements Service {
  readonly name = "probes";
  readonly server: Server;
  private readonly services: readonly Service[];
  private readonly address: { readonly host: string; readonly port: number };

  constructor(
    address: { readonly host: string; readonly port: number },
    services: readonly Service[],
    metrics: Registry,
    documents: readonly ProbeDocument[] = [],
  ) {
    this.address = address;
    this.services = services;
    this.server = createServer((request, response) => {
      const path = request.url?.split("?")[0];
      const answer = (status: number, type: string, body: string): void => {
        response.writeHead(status, { "content-type": type, "x-content-type-options": "nosniff" }).end(body);
      };
      if (request.method !== "GET" && request.method !== "HEAD")
        answer(405, "text/plain", "method not allowed\n");
      else if (path === "/livez") answer(200, "text/plain", "ok\n");
      else if (path === "/readyz") {
        const waiting = this.services.filter((service) => !service.ready()).map((service) => service.name);
        answer(
          waiting.length === 0 ? 200 : 503,
          "text/plain",
          waiting.length === 0 ? "ok\n" : `waiting for: ${waiting.join(", ")}\n`,
        );
      } else if (path === "/metrics") {
        metrics.metrics().then(
          (text) => {
            answer(200, metrics.contentType, text);
          },
          () => {
            answer(500, "text/plain", "metrics failed\n");
          },
        );
      } else {
        const document = documents.find((candidate) => candidate.path === path);
        if (document === undefined) answer(404, "text/plain", "not found\n");
        else answer(200, "application/json", `${JSON.stringify(document.read(), undefined, 2)}\n`);
      }
    });
    this.server.headersTimeout = 10_000;
    this.server.requestTimeout = 10_000;
  }

  ready(): boolean {
    return true;
  }

  /** The port in use, once `run` has begun to listen; with port 0 the system has chosen it. */
  port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    });
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject).listen(this.address.port, this.address.host, resolve);
    });
    if (!signal.aborted) await stopped;
    const closed = new Promise<void>((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
    this.server.closeAllConnections();
    await closed;
  }
}
