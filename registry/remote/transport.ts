import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext, getCACertificates } from "node:tls";
import type { Duration } from "luxon";
import { messageOf } from "../../common/errors.ts";
import { dropIdleConnections, exchange } from "../../common/http/exchange.ts";
import { Agent as HttpAgent } from "../../common/http/node-http.ts";
import { ProtocolError, UnreachableError, UntrustedError } from "./errors.ts";

export interface TransportTimeouts {
  /** Name resolution, connection and handshake. */
  readonly connect: Duration;
  /** The longest silence; there is no limit on a whole transfer (T36). */
  readonly idle: Duration;
}

export interface TransportRequest {
  readonly url: URL;
  readonly method: "GET" | "HEAD";
  readonly headers: Readonly<Record<string, string>>;
  /** Shorter than usual, to find out whether the parent is there at all. */
  readonly idleTimeout?: Duration;
  readonly signal?: AbortSignal | undefined;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Connections to a parent and the hosts it redirects to. Certificates are always verified, against the system's
 * authorities and `caBundle` (S44); a redirect never leads from https to http, and takes no credentials to another origin.
 */
export class Transport {
  private readonly plain = new HttpAgent({ keepAlive: true });
  private readonly secure: HttpsAgent;
  private readonly timeouts: TransportTimeouts;
  private readonly onSocket: (socket: Socket) => void;

  /**
   * @param caBundle PEM; what is none is ignored by OpenSSL, and the parent then not trusted
   * @param onSocket told of the connection of every request
   */
  constructor(timeouts: TransportTimeouts, caBundle: string | undefined, onSocket: (socket: Socket) => void) {
    this.timeouts = timeouts;
    this.onSocket = onSocket;
    this.secure = new HttpsAgent({
      keepAlive: true,
      // One context for all connections: each would otherwise parse some hundred certificates anew.
      ...(caBundle === undefined
        ? {}
        : { secureContext: createSecureContext({ ca: [...getCACertificates("default"), caBundle] }) }),
    });
  }

  /**
   * The answer, whatever its status, after redirects; `origin` says who gave it.
   *
   * @throws {UnreachableError} {@link UntrustedError} {@link ProtocolError} or the signal's reason
   */
  async send(request: TransportRequest): Promise<{ response: IncomingMessage; origin: string }> {
    let { url, headers } = request;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await this.exchange({ ...request, url, headers });
      const { location } = response.headers;
      if (!redirects.has(response.statusCode ?? 0) || location === undefined) {
        return { response, origin: url.origin };
      }
      response.destroy();
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next === undefined || (next.protocol !== "https:" && next.protocol !== url.protocol)) {
        throw new ProtocolError(`${url.host} redirects to an address that we do not follow`);
      }
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      }
      url = next;
    }
    throw new ProtocolError(`${request.url.host} redirects in circles`);
  }

  /** After an outage no idle connection can be trusted. */
  dropIdle(): void {
    dropIdleConnections(this.plain);
    dropIdleConnections(this.secure);
  }

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }

  private async exchange(request: TransportRequest): Promise<IncomingMessage> {
    const { url, method, headers, signal } = request;
    try {
      return await exchange({
        url,
        method,
        headers: { "user-agent": "connected-registry", ...headers },
        agent: url.protocol === "https:" ? this.secure : this.plain,
        connectTimeout: this.timeouts.connect,
        idleTimeout: request.idleTimeout ?? this.timeouts.idle,
        onSocket: this.onSocket,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, url.host);
    }
  }
}

/** OpenSSL's and Node's words for a certificate that fails verification, or a peer that does not speak TLS. */
const tlsFault = /CERT|SIGNATURE|^ERR_TLS|^ERR_SSL|^EPROTO$/;

/** What a failure of the connection to `host` means, during the head or within a body. */
export function connectionError(error: unknown, host: string): Error {
  const code = (error as { readonly code?: string }).code ?? "";
  if (tlsFault.test(code)) {
    return new UntrustedError(`${host} does not show a certificate that we trust (${code}).`, {
      cause: error,
    });
  }
  const reason = code === "" ? messageOf(error) : code;
  return new UnreachableError(`${host} cannot be reached (${reason}).`, { cause: error });
}
