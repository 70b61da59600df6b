import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent } from "node:https";
import type { Duration } from "luxon";
import { seconds } from "../clock.ts";
import { readBody } from "../http/body.ts";
import { dropIdleConnections, exchange } from "../http/exchange.ts";
import { ClusterError } from "./errors.ts";

/** Where the API server is, and the files with which a pod reaches it. */
export interface InCluster {
  /** `https://host:port` */
  readonly server: string;
  readonly tokenFile: string;
  readonly caFile: string;
}

/** Where Kubernetes mounts a pod's credentials. */
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The cluster whose pod we are, by what Kubernetes puts into every pod's `environment`; `undefined` outside of a pod. */
export function inCluster(environment: Readonly<Record<string, string | undefined>>): InCluster | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host === undefined || port === undefined) return undefined;
  return {
    // The host may be an IPv6 address.
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    tokenFile: `${serviceAccountFolder}/token`,
    caFile: `${serviceAccountFolder}/ca.crt`,
  };
}

/** The largest object we take: etcd holds 1.5 MiB by default, and a list of one object wraps it. */
const maxObjectBytes = 8 * 1024 * 1024;

export interface ClusterRequest {
  readonly method: "GET" | "PATCH";
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** For a watch: how long it may be silent. */
  readonly idleTimeout?: Duration;
}

/**
 * Requests with a pod's own credentials. Token and CA are read again for every request: both rotate while we run, and
 * two small reads cost nothing beside a request.
 */
export class ClusterConnection {
  private readonly place: InCluster;
  private readonly timeout: Duration;
  private agent: Agent | undefined;
  private ca = "";

  /** @param timeout how long connecting, and waiting for an answer, may take */
  constructor(place: InCluster, timeout: Duration = seconds(10)) {
    this.place = place;
    this.timeout = timeout;
  }

  /** @throws {ClusterError} for an answer that is no success; errors of the system for none */
  async send(request: ClusterRequest): Promise<IncomingMessage> {
    const token = (await readFile(this.place.tokenFile, "utf8")).trim();
    const agent = await this.trustedAgent();
    const { method, path, contentType, body, signal } = request;
    try {
      const response = await exchange({
        url: new URL(path, this.place.server),
        method,
        agent,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${token}`,
          "user-agent": "connected-registry",
          ...(contentType === undefined ? {} : { "content-type": contentType }),
        },
        connectTimeout: this.timeout,
        idleTimeout: request.idleTimeout ?? this.timeout,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.statusCode !== undefined && response.statusCode < 300) return response;
      throw await refusal(response);
    } catch (error) {
      dropIdleConnections(agent);
      throw error;
    }
  }

  /** @throws as `send` does */
  async readJson<T>(request: ClusterRequest): Promise<T> {
    const bytes = await readBody(await this.send(request), maxObjectBytes);
    return JSON.parse(bytes.toString("utf8")) as T;
  }

  close(): void {
    this.agent?.destroy();
  }

  private async trustedAgent(): Promise<Agent> {
    const ca = await readFile(this.place.caFile, "utf8");
    if (this.agent === undefined || ca !== this.ca) {
      this.agent?.destroy();
      this.agent = new Agent({ keepAlive: true, ca });
      this.ca = ca;
    }
    return this.agent;
  }
}

async function refusal(response: IncomingMessage): Promise<ClusterError> {
  const status = response.statusCode ?? 0;
  const text = (await readBody(response, maxObjectBytes)).toString("utf8");
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === "string") return new ClusterError(status, message);
  } catch {
    // Not a Status object: some proxy between us and the API server has answered.
  }
  return new ClusterError(status, `the API server answered ${status}`);
}
