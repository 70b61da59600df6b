import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";
import type { Duration } from "luxon";
import { exponential, type Backoff } from "../../common/backoff.ts";
import { seconds, type Clock } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import type { StreamedBody } from "../../common/http/exchange.ts";
import type { LinkGate } from "../link/gate.ts";
import type { Urgency } from "../link/limiter.ts";
import { pauseFor } from "./allowance.ts";
import { refusal } from "./answer.ts";
import { RateLimitedError, UnauthorizedError, UnreachableError } from "./errors.ts";
import { Login } from "./login.ts";
import { MeteredTransport, type LinkObserver } from "./metered-transport.ts";
import { Pause } from "./pause.ts";
import { readToken, type TokenAnswer, type TokenRequest } from "./token-service.ts";
import type { Method, TransportTimeouts } from "./transport.ts";

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
  /** Name resolution; the system's if absent. */
  readonly lookup?: LookupFunction;
}

export interface ParentRequest {
  readonly method: Method;
  /** Path and query. */
  readonly path: string;
  /** Scope of the token specification, such as `repository:apps/hello:pull`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened anew for each try; sent as the link's budget allows. */
  readonly body?: StreamedBody;
  readonly idleTimeout?: Duration;
  /** Of the body that it brings, or takes along; `small` if absent. */
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
/** A longer pause is no hiccup: whoever waits is told, so that a person can see it, and comes back later. */
const patience = seconds(60);

/** Requests to one parent: authorized, counted, paused together, and read within limits. */
export class ParentClient {
  readonly origin: URL;
  private readonly options: ClientOptions;
  private readonly backoff: Backoff;
  private readonly pause: Pause;
  private readonly transport: MeteredTransport;
  private readonly login: Login;

  constructor(parent: ParentSettings, options: ClientOptions) {
    this.origin = new URL(`${parent.protocol}://${parent.loginServer}`);
    this.options = options;
    this.backoff = exponential(seconds(1), seconds(30), options.random);
    this.pause = new Pause(options.clock, options.random);
    const { observer, gate, lookup, timeouts = defaultTimeouts } = options;
    this.transport = new MeteredTransport(parent, {
      host: this.origin.host,
      ...{ timeouts, observer, gate, lookup },
    });
    this.login = new Login(parent, this.origin, options.clock, (request) => this.askToken(request));
  }

  /** Takes on changed credentials, authorities and ways; requests under way end as they began (T44). */
  configure(parent: ParentSettings): void {
    this.transport.take(parent);
    this.login.configure(parent);
  }

  /** Whether the parent wants to be left alone for now. */
  get paused(): boolean {
    return this.pause.left.toMillis() > 0;
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
    const { left } = this.pause;
    if (left > patience) throw new RateLimitedError(`${this.origin.host} limits the rate of requests.`, left);
    await this.pause.over(request.signal);
    if (request.vital !== true) this.options.gate.assertOpen();
    const { response, origin } = await this.login.request(request.scope, request.signal, (authorization) =>
      this.exchange(request, authorization),
    );
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await this.refused(response, new URL(origin).host, origin !== this.origin.origin);
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
    { method, path, headers, body, idleTimeout, urgency = "small", signal }: ParentRequest,
    authorization: string | undefined,
  ): Promise<{ response: IncomingMessage; origin: string }> {
    const url = new URL(path, this.origin);
    const all = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
    const silence = idleTimeout === undefined ? {} : { idleTimeout };
    const request = { url, method, headers: all, body, ...silence, signal };
    return this.heard(await this.transport.send(request, urgency));
  }

  /** Every answer may say how many more there will be. */
  private heard<T extends { readonly response: IncomingMessage }>(answer: T): T {
    const pause = pauseFor(answer.response.headers, this.options.clock.now());
    if (pause !== undefined) this.pause.hold(pause);
    return answer;
  }

  private async refused(response: IncomingMessage, host: string, foreign: boolean): Promise<Error> {
    const error = await refusal(response, host, foreign, this.options.clock.now());
    if (!(error instanceof RateLimitedError)) return error;
    this.pause.hold(error.retryAfter ?? this.backoff(4));
    return new RateLimitedError(error.message, this.pause.left);
  }

  private async askToken(request: TokenRequest): Promise<TokenAnswer> {
    const { host } = this.origin;
    const { response } = this.heard(await this.transport.send(request, "small"));
    const status = response.statusCode ?? 0;
    if (status === 400 || status === 401) {
      response.destroy();
      throw new UnauthorizedError(`The token service of ${host} does not accept our credentials.`);
    }
    if (status !== 200) throw await this.refused(response, `The token service of ${host}`, false);
    return readToken(await this.transport.body(response, maxTokenBytes), host);
  }
}
