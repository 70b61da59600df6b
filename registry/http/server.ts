import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duration } from "luxon";
import type { ListenAddress } from "../../common/address.ts";
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import { every } from "../../common/every.ts";
import { createServer } from "../../common/http/node-http.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { Certificate } from "./certificate.ts";
import type { ServerMetrics } from "./metrics.ts";
import { Pipelining } from "./pipelining.ts";
import { RunningRequests } from "./running-requests.ts";
import { bodyCheckInterval, SlowBodies } from "./slow-bodies.ts";

const keepAliveTimeoutMs = 75_000;

export interface ServerParts {
  readonly address: ListenAddress;
  readonly listener: RequestListener;
  /** Absent: in the clear. */
  readonly certificate: Certificate | undefined;
  readonly limits: ServerLimits;
  readonly metrics: ServerMetrics;
  /** What to say of what is served, in the log, once it is. */
  readonly about: () => object;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ServerLimits {
  /** How many connections there may be at once. One more makes room among those that rest, or is refused. */
  readonly connections: number;
  /** How long running requests may take to end when the server stops. */
  readonly grace: Duration;
  /** How long the head of a request, or the handshake, may take (S05). */
  readonly head: Duration;
  /** A connection on which nothing moves for so long is closed; how long a transfer takes in all does not matter. */
  readonly idle: Duration;
}

/** Serves `listener` over HTTP, or over TLS when there is a certificate. */
export class RegistryServer implements Service {
  readonly name = "http";
  private readonly parts: ServerParts;
  private readonly server: Server | SecureServer;
  private readonly secure: SecureServer | undefined;
  private readonly slow = new SlowBodies();
  private readonly pipelining = new Pipelining();
  private stopping = false;
  /** Every connection, also one whose handshake is not over, of which the server itself keeps no account. */
  private readonly sockets = new Set<Socket>();
  private readonly requests = new RunningRequests();

  constructor(parts: ServerParts) {
    this.parts = parts;
    const { certificate, limits } = parts;
    const serve: RequestListener = (request, response) => {
      const taken = this.pipelining.begin(request, response, () => {
        this.serve(request, response);
      });
      if (taken) return;
      const { remoteAddress } = request.socket;
      this.parts.log.debug("too many requests wait on one connection: it is closed", {
        address: remoteAddress,
      });
      request.socket.destroy();
    };
    // requestTimeout bounds a whole upload, however well it goes: the idle timeout does what it is for.
    const headMs = limits.head.toMillis();
    const options = {
      requestTimeout: 0,
      headersTimeout: headMs,
      // How often Node looks who takes too long.
      connectionsCheckingInterval: headMs / 3,
      handshakeTimeout: headMs,
      keepAliveTimeout: keepAliveTimeoutMs,
    };
    this.secure =
      certificate === undefined
        ? undefined
        : createSecureServer({ ...options, ...certificate, minVersion: "TLSv1.2" }, serve);
    this.server = this.secure ?? createServer(options, serve);
    this.server.timeout = limits.idle.toMillis();
    this.server.maxConnections = limits.connections;
    this.server.on("connection", (socket: Socket) => {
      this.admit(socket);
    });
    this.server.on("drop", () => {
      this.parts.metrics.refused.inc();
    });
    this.secure?.on("tlsClientError", (error, { remoteAddress }) => {
      this.parts.metrics.handshakeErrors.inc();
      this.parts.log.debug("a TLS handshake failed", { error: messageOf(error), address: remoteAddress });
    });
  }

  ready(): boolean {
    return this.server.listening && !this.stopping;
  }

  /** The port in use, once it listens; with port 0 the system has chosen it. */
  port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many requests run, and how many there ever were. */
  get activity(): { readonly running: number; readonly begun: number } {
    return this.requests.activity;
  }

  /** Uses `certificate` for connections from now on; those that exist stay. */
  useCertificate(certificate: Certificate): void {
    this.secure?.setSecureContext({ ...certificate, minVersion: "TLSv1.2" });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { address, about, clock, log } = this.parts;
    await this.listen();
    log.info("serving", {
      host: address.host,
      port: this.port(),
      tls: this.secure !== undefined,
      ...about(),
    });
    // Until we stop: what follows is a wait for the signal.
    await every(bodyCheckInterval, () => this.checkBodies(), clock, signal);
    await this.stop();
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    // Whoever is served while we stop should go elsewhere for the next request.
    if (this.stopping) response.setHeader("Connection", "close");
    if (bringsBody(request)) this.awaitBody(request, response);
    this.requests.add(response);
    try {
      this.parts.listener(request, response);
    } catch (error) {
      // A listener answers its errors itself. One that cannot must not end the program, nor leave the client waiting.
      this.parts.log.error("a request could not be answered", { error });
      response.destroy();
    }
  }

  private awaitBody(request: IncomingMessage, response: ServerResponse): void {
    this.slow.watch(request);
    // Once all of a body is here it is our turn, and syncing a large blob to a slow disk takes its time.
    request.once("end", () => {
      // What nobody read ends after the answer, when the connection rests and has to be closed some day.
      if (!response.writableEnded) request.socket.setTimeout(0);
    });
  }

  private admit(socket: Socket): void {
    const { limits, metrics } = this.parts;
    this.sockets.add(socket);
    metrics.connections.set(this.sockets.size);
    socket.once("close", () => {
      this.sockets.delete(socket);
      metrics.connections.set(this.sockets.size);
    });
    // Those that rest between requests give way: their clients connect again when they need to.
    if (this.sockets.size >= limits.connections) this.server.closeIdleConnections();
  }

  private checkBodies(): Promise<void> {
    const requests = this.slow.check();
    if (requests > 0) this.parts.log.warn("uploads that hardly moved were ended", { requests });
    return Promise.resolve();
  }

  private async listen(): Promise<void> {
    const { address } = this.parts;
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(address.port, address.host, () => {
        this.server.off("error", reject);
        resolve();
      });
    });
  }

  /**
   * Lets running requests end, for a bounded time. Connections without one are of no use any more: clients keep some
   * open that they never used, which the server itself would wait for.
   */
  private async stop(): Promise<void> {
    this.stopping = true;
    this.server.close();
    const { clock, limits, log } = this.parts;
    const { running } = this.requests.activity;
    if (running > 0) {
      log.info("stopping: requests may end", { requests: running, seconds: limits.grace.as("seconds") });
      const left = await this.requests.ended(limits.grace, clock);
      if (left > 0) log.warn("requests still run and are cut off", { requests: left });
    }
    log.info("serves no more");
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Whether a body follows the head of `request` (RFC 9112, 6). */
function bringsBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
