import type { IncomingMessage } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { seconds } from "../../common/clock.ts";
import { readBody, readLines } from "../../common/http/body.ts";
import { dropIdleConnections, exchange } from "../../common/http/exchange.ts";
import { ApiError, type ApiRequest, type ApiServer } from "./api-server.ts";

/** One page of a list is the largest answer there is. */
const maxAnswerBytes = 256 * 1024 * 1024;
/** etcd takes objects of 1.5 MiB. */
const maxLineBytes = 16 * 1024 * 1024;
const timeout = seconds(10);
const userAgent = "connected-registry-operator";

/** Told of each call: its method, and its status unless there was no answer. */
export type ObserveRequest = (method: string, status: number | undefined) => void;

/** With the service account of the pod that we run in. */
export function inCluster(observe: ObserveRequest): ApiServer {
  const config = new KubeConfig();
  config.loadFromCluster();
  return new HttpsApiServer(config, observe);
}

/** With the current context of a kubeconfig, whatever way of authentication it names. */
export function fromKubeconfig(file: string, observe: ObserveRequest): ApiServer {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return new HttpsApiServer(config, observe);
}

/**
 * client-node knows where the API server is and who we are; the calls are made by `exchange`. client-node's own calls
 * cannot be used: each makes an agent of its own, and so a TLS handshake (see docs/decisions/0003-operator-calls.md).
 */
class HttpsApiServer implements ApiServer {
  private readonly config: KubeConfig;
  private readonly observe: ObserveRequest;
  private readonly server: string;
  private agent: Agent | undefined;
  private agentOptions = "";

  constructor(config: KubeConfig, observe: ObserveRequest) {
    this.config = config;
    this.observe = observe;
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new TypeError("the kubeconfig names no cluster");
    if (!server.startsWith("https:")) throw new TypeError("the API server must be reached by https");
    this.server = server.replace(/\/$/, "");
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
    const { method, path, accept, contentType, body, idleTimeout, signal } = request;
    // Read anew for every call: tokens and certificates rotate while we run.
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    const agent = this.agentFor(options);
    let answered: number | undefined;
    try {
      const response = await exchange({
        url: new URL(this.server + path),
        method,
        agent,
        headers: {
          ...authorization(options),
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
      if (answered < 300) return response;
      throw await refusal(answered, response);
    } catch (error) {
      if (answered === undefined) dropIdleConnections(agent);
      throw error;
    } finally {
      this.observe(method, answered);
    }
  }

  private agentFor({ agent, ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Agent {
    if (this.config.getCurrentCluster()?.proxyUrl !== undefined) return agent as Agent;
    const options: AgentOptions = Object.fromEntries(
      Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const text = JSON.stringify(options);
    if (this.agent === undefined || text !== this.agentOptions) {
      this.agent?.destroy();
      // A peer that vanished without a word is noticed after half a minute and some probes.
      this.agent = new Agent({ ...options, keepAlive: true, keepAliveMsecs: 30_000 });
      this.agentOptions = text;
    }
    return this.agent;
  }
}

function authorization({ headers, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries((headers ?? {}) as Record<string, string>);
  const basic = auth === undefined || auth === null ? {} : { authorization: `Basic ${btoa(auth)}` };
  return { ...basic, ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])) };
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
