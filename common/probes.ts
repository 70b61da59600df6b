import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { ListenAddress } from "./address.ts";
import { createServer } from "./http/node-http.ts";
import type { Service } from "./service.ts";

/** A JSON document served beside the probes, such as `/status`. */
export interface ProbeDocument {
  readonly path: string;
  /** What it says now; a promise of it where it is read from a file. */
  readonly read: (query: URLSearchParams) => unknown;
}

/**
 * `/livez`, `/readyz` and `/metrics` on a port of their own. Live means the event loop turns; ready means that every
 * service of `services` can take traffic (never that a parent registry can be reached), and ends when the program is
 * told to stop: whoever sends traffic here learns it while what runs still ends.
 */
export class Probes implements Service {
  readonly name = "probes";
  readonly server: Server;
  private readonly services: readonly Service[];
  private readonly stopping: AbortSignal;
  private readonly address: ListenAddress;

  /** @param stopping aborts when the program is told to stop */
  constructor(
    address: ListenAddress,
    services: readonly Service[],
    metrics: Registry,
    stopping: AbortSignal,
    documents: readonly ProbeDocument[] = [],
  ) {
    this.address = address;
    this.services = services;
    this.stopping = stopping;
    this.server = createServer((request, response) => {
      const [path, query] = (request.url ?? "").split("?", 2);
      const answer = (status: number, type: string, body: string): void => {
        response.writeHead(status, { "content-type": type, "x-content-type-options": "nosniff" }).end(body);
      };
      if (request.method !== "GET" && request.method !== "HEAD")
        answer(405, "text/plain", "method not allowed\n");
      else if (path === "/livez") answer(200, "text/plain", "ok\n");
      else if (path === "/readyz") {
        const obstacle = this.obstacle();
        answer(obstacle === undefined ? 200 : 503, "text/plain", `${obstacle ?? "ok"}\n`);
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
        else {
          textOf(document, query).then(
            (text) => {
              answer(200, "application/json", text);
            },
            () => {
              answer(500, "text/plain", "the document cannot be read\n");
            },
          );
        }
      }
    });
    this.server.headersTimeout = 10_000;
    this.server.requestTimeout = 10_000;
  }

  ready(): boolean {
    return true;
  }

  /** Why traffic must not come now, if it must not. */
  private obstacle(): string | undefined {
    if (this.stopping.aborted) return "stopping";
    const waiting = this.services.filter((service) => !service.ready()).map((service) => service.name);
    return waiting.length === 0 ? undefined : `waiting for: ${waiting.join(", ")}`;
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

async function textOf(document: ProbeDocument, query: string | undefined): Promise<string> {
  const value = await document.read(new URLSearchParams(query));
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
