import type { RequestListener, Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ListenAddress } from "../../common/address.ts";
import { seconds, type Clock } from "../../common/clock.ts";
import { createServer } from "../../common/http/node-http.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { Certificate } from "./certificate.ts";

/** How long running requests may take to end when the server stops. */
const grace = seconds(20);
/** A connection on which nothing moves for so long is closed; how long a transfer takes in all does not matter. */
const idleTimeoutMs = 120_000;
const keepAliveTimeoutMs = 75_000;
const headersTimeoutMs = 15_000;

/** Serves `listener` over HTTP, or over TLS when there is a certificate. */
export class RegistryServer implements Service {
  readonly name = "http";
  private readonly address: ListenAddress;
  private readonly server: Server | SecureServer;
  private readonly secure: SecureServer | undefined;
  private readonly clock: Clock;
  private readonly log: Logger;
  private stopping = false;
  /** Every connection, also one whose handshake is not over, of which the server itself keeps no account. */
  private readonly sockets = new Set<Socket>();
  /** Requests that are being answered. */
  private running = 0;
  /** Aborts, once we stop, when no request runs any more. */
  private quiet = new AbortController();

  constructor(
    address: ListenAddress,
    listener: RequestListener,
    certificate: Certificate | undefined,
    clock: Clock,
    log: Logger,
  ) {
    this.address = address;
    this.clock = clock;
    this.log = log;
    const serve: RequestListener = (request, response) => {
      // Whoever is served while we stop should go elsewhere for the next request.
      if (this.stopping) response.setHeader("Connection", "close");
      // Once all of a body is here it is our turn, and syncing a large blob to a slow disk takes its time.
      request.once("end", () => {
        // What nobody read ends after the answer, when the connection rests and has to be closed some day.
        if (!response.writableEnded) request.socket.setTimeout(0);
      });
      this.running++;
      response.once("close", () => {
        this.running--;
        if (this.running === 0) this.quiet.abort();
      });
      listener(request, response);
    };
    // requestTimeout bounds a whole upload, however well it goes: the idle timeout does what it is for.
    const options = {
      requestTimeout: 0,
      headersTimeout: headersTimeoutMs,
      handshakeTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
    };
    this.secure =
      certificate === undefined
        ? undefined
        : createSecureServer({ ...options, ...certificate, minVersion: "TLSv1.2" }, serve);
    this.server = this.secure ?? createServer(options, serve);
    this.server.timeout = idleTimeoutMs;
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  ready(): boolean {
    return this.server.listening && !this.stopping;
  }

  /** The port in use, once it listens; with port 0 the system has chosen it. */
  port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Uses `certificate` for connections from now on; those that exist stay. */
  useCertificate(certificate: Certificate): void {
    this.secure?.setSecureContext({ ...certificate, minVersion: "TLSv1.2" });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.listen();
    const { host } = this.address;
    this.log.info("serving", { host, port: this.port(), tls: this.secure !== undefined });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    });
    await this.stop();
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.address.port, this.address.host, () => {
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
    this.quiet = new AbortController();
    this.server.close();
    if (this.running > 0) {
      await this.clock.sleep(grace, this.quiet.signal).catch(() => undefined);
      if (this.running > 0) this.log.warn("requests still run and are cut off", { requests: this.running });
    }
    for (const socket of this.sockets) socket.destroy();
  }
}
