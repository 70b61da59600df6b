import type { IncomingMessage } from "node:http";
import { BodyTooLargeError, readBody } from "../../common/http/body.ts";
import { ProtocolError } from "./errors.ts";
import { connectionError, Transport, type TransportRequest, type TransportTimeouts } from "./transport.ts";

/** Told of what goes over the link. */
export interface LinkObserver {
  /** One HTTP request was answered with `status`, or with nothing. */
  requested(status: number | "none"): void;
  /** So many bytes of a body have come. */
  received(bytes: number): void;
}

/** Every request to one parent and every byte of a body, told to the observer; authorities may change meanwhile. */
export class MeteredTransport {
  private readonly host: string;
  private readonly timeouts: TransportTimeouts;
  private readonly observer: LinkObserver;
  private caBundle: string | undefined;
  private transport: Transport;

  /** @param host of the parent, for messages */
  constructor(
    host: string,
    timeouts: TransportTimeouts,
    caBundle: string | undefined,
    observer: LinkObserver,
  ) {
    this.host = host;
    this.timeouts = timeouts;
    this.observer = observer;
    this.caBundle = caBundle;
    this.transport = new Transport(timeouts, caBundle);
  }

  /** New requests trust `caBundle`; those under way end as they began. */
  trust(caBundle: string | undefined): void {
    if (caBundle === this.caBundle) return;
    this.transport.dropIdle();
    this.transport = new Transport(this.timeouts, caBundle);
    this.caBundle = caBundle;
  }

  dropIdle(): void {
    this.transport.dropIdle();
  }

  close(): void {
    this.transport.close();
  }

  /** The answer, as from `Transport.send`. */
  async send(request: TransportRequest): Promise<{ response: IncomingMessage; origin: string }> {
    try {
      const result = await this.transport.send(request);
      this.observer.requested(result.response.statusCode ?? 0);
      return result;
    } catch (error) {
      this.observer.requested("none");
      throw error;
    }
  }

  /** The bytes of `response` as they come. @throws {UnreachableError} if they end with the connection */
  async *chunks(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
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

  /**
   * The whole body of `response`.
   *
   * @throws {ProtocolError} if it has more than `limit` bytes
   * @throws {UnreachableError} if it ends with the connection
   */
  async body(response: IncomingMessage, limit: number, signal?: AbortSignal): Promise<Buffer> {
    try {
      const body = await readBody(response, limit);
      this.observer.received(body.length);
      return body;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BodyTooLargeError) {
        throw new ProtocolError(`${this.host} answered with more than ${limit} bytes.`);
      }
      throw connectionError(error, this.host);
    }
  }
}
