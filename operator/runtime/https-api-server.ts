import type { IncomingMessage } from "node:http";
import { Agent, type AgentOptions } from "node:https";
import type { Duration } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { readBody, readLines } from "../../common/http/body.ts";
import { dropIdleConnections, exchange } from "../../common/http/exchange.ts";
import { ApiError, type ApiRequest, type ApiServer } from "./api-server.ts";

/** One page of a list is the largest answer there is. */
const maxAnswerBytes = 256 * 1024 * 1024;
/** etcd takes objects of 1.5 MiB. */
const maxLineBytes = 16 * 1024 * 1024;
const timeout = seconds(10);
const userAgent = "connected-registry-operator";
/** How often, and for how long at most, we wait because the API server asks us to; as client-go does. */
const maxWaits = 10;
const longestWaitSeconds = 30;

/** Told of each call: its method, and its status unless there was no answer. */
export type ObserveRequest = (method: string, status: number | undefined, host: string) => void;

/** What shows the API server who we are. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<AgentOptions, "ca" | "cert" | "key" | "servername" | "rejectUnauthorized">;
  /** Makes the connections, where they lead through a proxy. */
  readonly agent?: Agent;
}

/** Where the API server is, and who we are to it. */
export interface Access {
  readonly server: string;
  /** For one call: tokens and certificates rotate while we run. */
  readonly credentials: () => Promise<Credentials>;
}

/**
 * Calls over one pool of kept-alive connections, which is replaced when certificates rotate.
 *
 * A call that the API server was too busy to look at (429, 503) and asks for again later is made again then: whoever
 * called sees no more than a slow answer.
 */
export class HttpsApiServer implements ApiServer {
  private readonly access: Access;
  private readonly clock: Clock;
  private readonly observe: ObserveRequest;
  private agent: Agent | undefined;
  private agentOptions = "";

  /** @throws {TypeError} for an API server that is reached by anything but https */
  constructor(access: Access, clock: Clock, observe: ObserveRequest) {
    if (!access.server.startsWith("https:")) throw new TypeError("the API server must be reached by https");
    this.access = access;
    this.clock = clock;
    this.observe = observe;
  }

  async json<T>(request: ApiRequest): Promise<T> {
    const body = await readBody(await this.send(request), maxAnswerBytes);
    return JSON.parse(body.toString("utf8")) as T;
  }

  async *lines(request: ApiRequest): AsyncGenerator<string> {
    for await (const line of readLines(await this.send(request), maxLineBytes)) {
      if (line !== "") yield line;
    }
  }

  private async send(request: ApiRequest): Promise<IncomingMessage> {
    for (let waits = 0; ; waits++) {
      const answer = await this.ask(request);
      const status = answer.statusCode ?? 0;
      if (status < 300) return answer;
      const error = await refusal(status, answer);
      const wait = waits < maxWaits ? waitAskedFor(answer) : undefined;
      if (wait === undefined) throw error;
      await this.clock.sleep(wait, request.signal);
    }
  }

  private async ask(request: ApiRequest): Promise<IncomingMessage> {
    const { method, path, accept, contentType, body, idleTimeout, signal } = request;
    const { server, credentials } = this.access;
    const { headers, tls, agent = this.agentFor(tls) } = await credentials();
    let answered: number | undefined;
    try {
      const response = await exchange({
        url: new URL(server.replace(/\/$/, "") + path),
        method,
        agent,
        headers: {
          ...headers,
          accept: accept ?? "application/json",
          "user-agent": userAgent,
          ...(contentType === undefined ? {} : { "content-type": contentType }),
        },
        connectTimeout: timeout,
        idleTimeout: idleTimeout ?? timeout,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      answered = response.statusCode ?? 0;
      return response;
    } catch (error) {
      dropIdleConnections(agent);
      throw error;
    } finally {
      this.observe(method, answered, new URL(this.access.server).host);
    }
  }

  private agentFor(tls: Credentials["tls"]): Agent {
    const text = JSON.stringify(tls);
    if (this.agent === undefined || text !== this.agentOptions) {
      this.agent?.destroy();
      // A peer that vanished without a word is noticed after half a minute and some probes.
      this.agent = new Agent({ ...tls, keepAlive: true, keepAliveMsecs: 30_000 });
      this.agentOptions = text;
    }
    return this.agent;
  }
}

/** `undefined` unless the API server did not even look at the call, and says when to come again. */
function waitAskedFor({ statusCode, headers }: IncomingMessage): Duration | undefined {
  const wait = Number(headers["retry-after"] ?? Number.NaN);
  if (statusCode !== 429 && statusCode !== 503) return undefined;
  return wait >= 0 && wait <= longestWaitSeconds ? seconds(wait) : undefined;
}

async function refusal(status: number, response: IncomingMessage): Promise<ApiError> {
  const text = (await readBody(response, maxLineBytes)).toString("utf8");
  try {
    const { message, reason, details } = JSON.parse(text) as {
      readonly message?: unknown;
      readonly reason?: unknown;
      readonly details?: { readonly causes?: readonly { readonly reason?: string }[] };
    };
    const causes = (details?.causes ?? []).flatMap((cause) => cause.reason ?? []);
    if (typeof message === "string") return new ApiError(status, String(reason), message, causes);
  } catch {
    // Not a Status object: some proxy between us and the API server has answered.
  }
  return new ApiError(status, "Unknown", `the API server answered ${status}`);
}
