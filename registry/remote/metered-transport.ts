import type { IncomingMessage } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import { Readable } from "node:stream";
import type { StreamedBody } from "../../common/http/exchange.ts";
import type { LinkGate } from "../link/gate.ts";
import type { Urgency } from "../link/limiter.ts";
import { SocketMeter } from "../link/socket-meter.ts";
import { ProtocolError } from "./errors.ts";
import {
  connectionError,
  Transport,
  type Route,
  type TransportRequest,
  type TransportTimeouts,
} from "./transport.ts";

/** Told of what goes over the link. */
export interface LinkObserver {
  /** One HTTP request was answered with `status`, or with nothing. */
  requested(status: number | "none"): void;
  /** So many bytes of a body have come. */
  received(bytes: number): void;
}

export interface MeteredTransportOptions {
  /** Of the parent, for messages. */
  readonly host: string;
  readonly timeouts: TransportTimeouts;
  readonly observer: LinkObserver;
  readonly gate: LinkGate;
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Every request to one parent and every byte of a body, told to the observer, and every byte at all, also of heads,
 * redirects and refusals, held to what the gate allows; the way to the parent may change meanwhile.
 */
export class MeteredTransport {
  private readonly options: MeteredTransportOptions;
  private readonly meter: SocketMeter;
  private route: string;
  private transport: Transport;

  constructor(route: Route, options: MeteredTransportOptions) {
    this.options = options;
    this.meter = new SocketMeter((traffic) => {
      options.gate.passedUnasked(traffic);
    });
    this.route = keyOf(route);
    this.transport = new Transport({ ...route, ...options });
  }

  /** New requests go by `route`; those under way end as they began. */
  take(route: Route): void {
    const key = keyOf(route);
    if (key === this.route) return;
    this.transport.dropIdle();
    this.route = key;
    this.transport = new Transport({ ...route, ...this.options });
  }

  dropIdle(): void {
    this.transport.dropIdle();
  }

  close(): void {
    this.transport.close();
  }

  /** The answer, as from `Transport.send`. @param urgency of what it brings, and of the body that is sent */
  async send(
    request: TransportRequest,
    urgency: Urgency,
  ): Promise<{ response: IncomingMessage; origin: string }> {
    const result = await this.sent(request, urgency);
    try {
      await this.options.gate.passed(this.meter.take(result.response.socket), urgency, request.signal);
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
      await this.options.gate.passed(this.meter.take(socket), urgency, signal);
      yield chunk;
      if (!response.complete) this.options.gate.assertOpen();
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
      if (size > limit)
        throw new ProtocolError(`${this.options.host} answered with more than ${limit} bytes.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  private async sent(
    request: TransportRequest,
    urgency: Urgency,
  ): Promise<{ response: IncomingMessage; origin: string }> {
    let current: Socket | undefined;
    const onSocket = (socket: Socket): void => {
      current = socket;
      this.meter.watch(socket);
    };
    const { body, signal } = request;
    const paced =
      typeof body === "object" ? { body: this.paced(body, () => current, urgency, signal) } : { body };
    try {
      const result = await this.transport.send({ ...request, ...paced, onSocket });
      this.options.observer.requested(result.response.statusCode ?? 0);
      return result;
    } catch (error) {
      this.options.observer.requested("none");
      throw error;
    }
  }

  /** A body whose bytes go as the gate lets them. */
  private paced(
    body: StreamedBody,
    socket: () => Socket | undefined,
    urgency: Urgency,
    signal: AbortSignal | undefined,
  ): StreamedBody {
    const { gate } = this.options;
    const meter = this.meter;
    async function* pieces(): AsyncGenerator<Buffer> {
      for await (const chunk of body.open() as AsyncIterable<Buffer>) {
        const current = socket();
        if (current !== undefined) await gate.passed(meter.take(current), urgency, signal);
        gate.assertOpen();
        yield chunk;
      }
    }
    return { size: body.size, open: () => Readable.from(pieces(), { objectMode: false }) };
  }

  private async *arriving(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        this.options.observer.received(chunk.length);
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, this.options.host);
    }
  }
}

function keyOf({ caBundle, proxy, dataEndpoints }: Route): string {
  return JSON.stringify([caBundle, proxy, dataEndpoints]);
}
