import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duration } from "luxon";
import { exponential, type Backoff } from "../../common/backoff.ts";
import { seconds, type Clock } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import type { LinkGate } from "../link/gate.ts";
import type { Urgency } from "../link/limiter.ts";
import { refusal } from "./answer.ts";
import { Authorizer } from "./authorizer.ts";
import {
  DeniedError,
  ProtocolError,
  RateLimitedError,
  UnauthorizedError,
  UnreachableError,
} from "./errors.ts";
import { MeteredTransport, type LinkObserver } from "./metered-transport.ts";
import { Pause } from "./pause.ts";
import type { TransportTimeouts } from "./transport.ts";

export interface ClientOptions {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly observer: LinkObserver;
  /** Of the link, for all that goes over it. */
  readonly gate: LinkGate;
  readonly timeouts?: TransportTimeouts;
  /** How often one thing is tried, with nothing gained, before it is given up for now. */
  readonly attempts?: number;
}

export interface ParentRequest {
  readonly method: "GET" | "HEAD";
  /** Path and query. */
  readonly path: string;
  /** Scope of the token specification, such as `repository:apps/hello:pull`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idleTimeout?: Duration;
  /** Of the body that it brings; `small` if absent. */
  readonly urgency?: Urgency;
  /** A sign of life, which is asked for even when the link's quota is used up. */
  readonly vital?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface ParentAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const maxTokenBytes = 256 * 1024;
const defaultTimeouts: TransportTimeouts = { connect: seconds(5), idle: seconds(30) };

/** Requests to one parent: authorized, counted, paused together, and read within limits. */
export class ParentClient {
  readonly origin: URL;
  private readonly options: ClientOptions;
  private readonly backoff: Backoff;
  private readonly pause: Pause;
  private readonly transport: MeteredTransport;
  private authorizer: Authorizer;

  constructor(parent: ParentSettings, options: ClientOptions) {
    this.origin = new URL(`${parent.protocol}://${parent.loginServer}`);
    this.options = options;
    this.backoff = exponential(seconds(1), seconds(30), options.random);
    this.pause = new Pause(options.clock);
    this.transport = new MeteredTransport(
      this.origin.host,
      options.timeouts ?? defaultTimeouts,
      parent.caBundle,
      options.observer,
      options.gate,
    );
    this.authorizer = this.newAuthorizer(parent);
  }

  /** Takes on changed credentials and authorities; requests under way end as they began (T44). */
  configure(parent: ParentSettings): void {
    this.transport.trust(parent.caBundle);
    this.authorizer = this.newAuthorizer(parent);
  }

  close(): void {
    this.transport.close();
  }

  /** After an outage no idle connection can be trusted, and each would cost a timeout. */
  dropIdle(): void {
    this.transport.dropIdle();
  }

  /**
   * One try: a response of 2xx, whose body the caller reads to its end or destroys.
   *
   * @throws every class of errors.ts, and {@link LinkQuotaError}
   */
  async send(request: ParentRequest): Promise<IncomingMessage> {
    await this.pause.over(request.signal);
    if (request.vital !== true) this.options.gate.assertOpen();
    const { authorizer } = this;
    const sent = await authorizer.header(request.scope);
    let { response, origin } = await this.exchange(request, sent);
    if (response.statusCode === 401 && origin === this.origin.origin) {
      response.destroy();
      if (authorizer.learn(response.headers["www-authenticate"], request.scope, sent)) {
        ({ response, origin } = await this.exchange(request, await authorizer.header(request.scope)));
      }
      if (response.statusCode === 401) {
        response.destroy();
        // A token that the service gave us, and that does not suffice: other repositories may be open to us.
        if (authorizer.usesTokens) throw new DeniedError(`${this.origin.host} denies access.`);
        throw new UnauthorizedError(`${this.origin.host} does not accept our credentials.`);
      }
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await this.refused(response, origin);
  }

  /** The whole answer, of at most `limit` bytes (S04), tried again as often as is worth it. @throws as `send` does */
  async read(request: ParentRequest, limit: number): Promise<ParentAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.send(request);
        return {
          headers: response.headers,
          body: await this.transport.body(response, limit, request.signal),
        };
      } catch (error) {
        await this.recover(error, attempt, request.signal);
      }
    }
  }

  /**
   * Waits until what failed with `error` may be tried again.
   *
   * @param attempt how many tries have failed since something was last gained
   * @throws `error` itself if another try makes no sense, or there were enough
   */
  async recover(error: unknown, attempt: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const transient = error instanceof UnreachableError || error instanceof RateLimitedError;
    if (!transient || attempt >= (this.options.attempts ?? 4)) throw error;
    // A rate limit pauses everybody, in `send`; any other failure only this one.
    if (error instanceof UnreachableError) await this.options.clock.sleep(this.backoff(attempt), signal);
  }

  /** The bytes of a blob as they come, as from `MeteredTransport.chunks`. */
  chunks(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
    return this.transport.chunks(response, "bulk", signal);
  }

  private async exchange(
    { method, path, headers, idleTimeout, urgency = "small", signal }: ParentRequest,
    authorization: string | undefined,
  ): Promise<{ response: IncomingMessage; origin: string }> {
    const url = new URL(path, this.origin);
    const all = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
    const patience = idleTimeout === undefined ? {} : { idleTimeout };
    return await this.transport.send({ url, method, headers: all, ...patience, signal }, urgency);
  }

  private async refused(response: IncomingMessage, origin: string): Promise<Error> {
    const error = await refusal(response, new URL(origin).host, origin !== this.origin.origin);
    if (error instanceof RateLimitedError) this.pause.hold(error.retryAfter ?? this.backoff(4));
    return error;
  }

  private async readToken(url: URL, headers: Readonly<Record<string, string>>): Promise<unknown> {
    const { response, origin } = await this.transport.send({ url, method: "GET", headers }, "small");
    const status = response.statusCode ?? 0;
    if (status === 400 || status === 401) {
      response.destroy();
      throw new UnauthorizedError(
        `The token service of ${this.origin.host} does not accept our credentials.`,
      );
    }
    if (status !== 200) throw await this.refused(response, origin);
    const body = await this.transport.body(response, maxTokenBytes);
    try {
      return JSON.parse(body.toString("utf8"));
    } catch {
      throw new ProtocolError(`The token service of ${this.origin.host} answered something else than JSON.`);
    }
  }

  private newAuthorizer(parent: ParentSettings): Authorizer {
    return new Authorizer({
      parent: this.origin,
      credentials: parent.credentials,
      tokenHosts: parent.tokenHosts,
      clock: this.options.clock,
      readToken: (url, headers) => this.readToken(url, headers),
    });
  }
}
