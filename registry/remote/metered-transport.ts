import type { IncomingMessage } from "node:http";
import type { LinkGate } from "../link/gate.ts";
import type { Urgency } from "../link/limiter.ts";
import { SocketMeter } from "../link/socket-meter.ts";
import { ProtocolError } from "./errors.ts";
import { connectionError, Transport, type TransportRequest, type TransportTimeouts } from "./transport.ts";

/** Told of what goes over the link. */
export interface LinkObserver {
  /** One HTTP request was answered with `status`, or with nothing. */
  requested(status: number | "none"): void;
  /** So many bytes of a body have come. */
  received(bytes: number): void;
}

/**
 * Every request to one parent and every byte of a body, told to the observer, and every byte at all, also of heads,
 * redirects and refusals, held to what the gate allows; authorities may change meanwhile.
 */
export class MeteredTransport {
  private readonly host: string;
  private readonly timeouts: TransportTimeouts;
  private readonly observer: LinkObserver;
  private readonly gate: LinkGate;
  private readonly meter: SocketMeter;
  private caBundle: string | undefined;
  private transport: Transport;

  /** @param host of the parent, for messages */
  constructor(
    host: string,
    timeouts: TransportTimeouts,
    caBundle: string | undefined,
    observer: LinkObserver,
    gate: LinkGate,
  ) {
    this.host = host;
    this.timeouts = timeouts;
    this.observer = observer;
    this.gate = gate;
    this.meter = new SocketMeter((traffic) => {
      gate.passedUnasked(traffic);
    });
    this.caBundle = caBundle;
    this.transport = this.newTransport();
  }

  /** New requests trust `caBundle`; those under way end as they began. */
  trust(caBundle: string | undefined): void {
    if (caBundle === this.caBundle) return;
    this.transport.dropIdle();
    this.caBundle = caBundle;
    this.transport = this.newTransport();
  }

  dropIdle(): void {
    this.transport.dropIdle();
  }

  close(): void {
    this.transport.close();
  }

  /** The answer, as from `Transport.send`. @param urgency of what it brings */
  async send(
    request: TransportRequest,
    urgency: Urgency,
  ): Promise<{ response: IncomingMessage; origin: string }> {
    const result = await this.sent(request);
    try {
      await this.gate.passed(this.meter.take(result.response.socket), urgency, request.signal);
    } catch (error) {
      result.response.destroy();
      throw error;
    }
    return result;
  }

  /**
   * The bytes of `response` as they come, and as the gate lets them.
   *
   * @throws {UnreachableError} if they end with the connection; {@link LinkQuotaError} between two of them
   */
  async *chunks(response: IncomingMessage, urgency: Urgency, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { socket } = response;
    for await (const chunk of this.arriving(response, signal)) {
      await this.gate.passed(this.meter.take(socket), urgency, signal);
      yield chunk;
      if (!response.complete) this.gate.assertOpen();
    }
  }

  /**
   * The whole body of `response`.
   *
   * @throws {ProtocolError} if it has more than `limit` bytes
   * @throws {UnreachableError} if it ends with the connection
   */
  async body(response: IncomingMessage, limit: number, signal?: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.chunks(response, "small", signal)) {
      size += chunk.length;
      if (size > limit) throw new ProtocolError(`${this.host} answered with more than ${limit} bytes.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  private async sent(request: TransportRequest): Promise<{ response: IncomingMessage; origin: string }> {
    try {
      const result = await this.transport.send(request);
      this.observer.requested(result.response.statusCode ?? 0);
      return result;
    } catch (error) {
      this.observer.requested("none");
      throw error;
    }
  }

  private async *arriving(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        this.observer.received(chunk.length);
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, this.host);
    }
  }

  private newTransport(): Transport {
    return new Transport(this.timeouts, this.caBundle, (socket) => {
      this.meter.watch(socket);
    });
  }
}
