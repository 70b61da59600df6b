import type { Agent, IncomingMessage } from "node:http";
import { lookup as systemLookup } from "node:dns";
import type { LookupFunction, Socket } from "node:net";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext, getCACertificates } from "node:tls";
import type { Duration } from "luxon";
import type { ParentSettings } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import { dropIdleConnections, exchange, type StreamedBody } from "../../common/http/exchange.ts";
import { Agent as HttpAgent } from "../../common/http/node-http.ts";
import {
  ForbiddenAddressError,
  HelplessError,
  ProtocolError,
  UnreachableError,
  UntrustedError,
} from "./errors.ts";
import { guarded } from "./guarded-lookup.ts";
import { addressOf, isProxied } from "./proxy.ts";
import { isMetadataService, reachOf } from "./reach.ts";
import { Redirects } from "./redirects.ts";
import { TunnelAgent } from "./tunnel-agent.ts";

export interface TransportTimeouts {
  /** Name resolution, connection and handshake. */
  readonly connect: Duration;
  /** The longest silence; there is no limit on a whole transfer (T36). */
  readonly idle: Duration;
}

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface TransportRequest {
  readonly url: URL;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | StreamedBody | undefined;
  /** Shorter than usual, to find out whether the parent is there at all. */
  readonly idleTimeout?: Duration;
  readonly signal?: AbortSignal | undefined;
  /** Told of the connection of the request, and of each redirect of it. */
  readonly onSocket?: (socket: Socket) => void;
}

/** By what a parent is connected to. */
export type Route = Pick<ParentSettings, "caBundle" | "proxy" | "dataEndpoints">;

export interface TransportOptions extends Route {
  readonly timeouts: TransportTimeouts;
  /** Name resolution; the system's if absent. */
  readonly lookup?: LookupFunction | undefined;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

interface Agents {
  readonly http: Agent;
  readonly https: Agent;
}

/**
 * Connections to a parent and the hosts it redirects to, directly or by way of a proxy. Certificates are always
 * verified, against the system's authorities and `caBundle` (S44); a redirect never leads from https to http, to what is
 * nearer to us than who gave it (S42), or takes credentials to another origin. No metadata service is asked, whoever names
 * it, as a parent, token service or proxy (S42).
 */
export class Transport {
  private readonly options: TransportOptions;
  private readonly lookup: LookupFunction;
  private readonly direct: Agents;
  private readonly proxied: (Agents & { readonly host: string }) | undefined;
  private readonly redirects: Redirects;

  constructor(options: TransportOptions) {
    this.options = options;
    const { caBundle, proxy, dataEndpoints } = options;
    const lookup = guarded(
      options.lookup ?? systemLookup,
      (address) => !isMetadataService(address),
      (hostname) => new ForbiddenAddressError(hostname),
    );
    this.lookup = lookup;
    // One context for all connections: each would otherwise parse some hundred certificates anew. What is no
    // certificate in the bundle is ignored by OpenSSL, and the parent then not trusted.
    const trust =
      caBundle === undefined
        ? {}
        : { secureContext: createSecureContext({ ca: [...getCACertificates("default"), caBundle] }) };
    const secure = { keepAlive: true, ...trust };
    this.direct = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent(secure) };
    if (proxy !== undefined) {
      const address = new URL(addressOf(proxy));
      this.proxied = {
        host: address.hostname,
        http: new HttpAgent({ keepAlive: true, proxyEnv: { HTTP_PROXY: address.href } }),
        https: new TunnelAgent(secure, {
          proxy: address,
          timeout: options.timeouts.connect,
          lookup,
        }),
      };
    }
    this.redirects = new Redirects(dataEndpoints, options.lookup);
  }

  /**
   * The answer, whatever its status; `origin` says who gave it. Redirects are followed, of requests without a body.
   *
   * @throws {UnreachableError} {@link UntrustedError} {@link ProtocolError}, {@link UnauthorizedError} of the proxy, or the
   *   signal's reason
   */
  async send(request: TransportRequest): Promise<{ response: IncomingMessage; origin: string }> {
    const parent = request.url;
    let { url, headers } = request;
    let lookup: LookupFunction | undefined;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await this.exchange({ ...request, url, headers }, lookup);
      const { location } = response.headers;
      if (!redirects.has(response.statusCode ?? 0) || location === undefined || request.body !== undefined) {
        return { response, origin: url.origin };
      }
      // By way of a proxy the connection says nothing of who answers.
      const address = this.isProxied(url) ? url.hostname : (response.socket.remoteAddress ?? "");
      response.destroy();
      const next = this.redirects.follow(location, { url, parent, reach: reachOf(address) ?? "public" });
      if (next.url.origin !== url.origin) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      }
      ({ url, lookup } = next);
    }
    throw new ProtocolError(`${parent.host} redirects in circles.`);
  }

  /** After an outage no idle connection can be trusted. */
  dropIdle(): void {
    for (const agent of this.agents()) dropIdleConnections(agent);
  }

  close(): void {
    for (const agent of this.agents()) agent.destroy();
  }

  private agents(): readonly Agent[] {
    return [this.direct, this.proxied].flatMap((each) => (each === undefined ? [] : [each.http, each.https]));
  }

  private isProxied(url: URL): boolean {
    const { proxy } = this.options;
    return proxy !== undefined && isProxied(proxy, url);
  }

  private async exchange(
    request: TransportRequest,
    lookup: LookupFunction | undefined,
  ): Promise<IncomingMessage> {
    const { url, method, headers, body, signal, onSocket } = request;
    const { timeouts } = this.options;
    const proxied = this.isProxied(url) ? this.proxied : undefined;
    for (const host of [url.hostname, proxied?.host ?? ""]) {
      if (isMetadataService(host)) throw new ForbiddenAddressError(host);
    }
    const agents = proxied ?? this.direct;
    try {
      return await exchange({
        url,
        method,
        // Some on the way would else compress what has a digest.
        headers: { "user-agent": "connected-registry", "accept-encoding": "identity", ...headers },
        ...(body === undefined ? {} : { body }),
        agent: url.protocol === "https:" ? agents.https : agents.http,
        connectTimeout: timeouts.connect,
        idleTimeout: request.idleTimeout ?? timeouts.idle,
        ...(onSocket === undefined ? {} : { onSocket }),
        // A proxy's own name is not the redirect's to choose.
        lookup: proxied === undefined ? (lookup ?? this.lookup) : this.lookup,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, proxied === undefined ? url.host : `${url.host}, by way of the proxy,`);
    }
  }
}

/** OpenSSL's and Node's words for a certificate that fails verification, or a peer that does not speak TLS. */
const tlsFault = /CERT|SIGNATURE|^ERR_TLS|^ERR_SSL|^EPROTO$/;

/** Which of these words mean something that another authority in the bundle does not mend. */
const remedies: readonly (readonly [RegExp, string])[] = [
  // A clock that is years off, as after a long time without power, makes every certificate wrong (T58).
  [
    /HAS_EXPIRED|NOT_YET_VALID/,
    "Renew the certificate; if it is valid, set the clock of this machine right.",
  ],
  [/ALTNAME|HOSTNAME/, "Use the host name that the certificate is made for."],
  [/^ERR_SSL|^EPROTO$/, "Check the port; a parent without TLS needs the protocol http."],
];

/** What a failure of the connection to `host` means, during the head or within a body. */
export function connectionError(error: unknown, host: string): Error {
  if (error instanceof ProtocolError || error instanceof HelplessError) return error;
  const code = (error as { readonly code?: string }).code ?? "";
  if (tlsFault.test(code)) {
    return new UntrustedError(`${host} does not show a certificate that we trust (${code}).`, {
      cause: error,
      remedy: remedies.find(([words]) => words.test(code))?.[1],
    });
  }
  const reason = code === "" ? messageOf(error) : code;
  return new UnreachableError(`${host} cannot be reached (${reason}).`, { cause: error });
}
