import type { IncomingMessage } from "node:http";
import { Agent, request as requestHttps, type AgentOptions, type RequestOptions } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { Duration } from "luxon";
import { request as requestHttp } from "../../common/http/node-http.ts";
import { refusedByProxy } from "./proxy.ts";

/** By way of which proxy, and how long it may take to get through. */
export interface Tunnel {
  /** With its login: a secret. */
  readonly proxy: URL;
  /** For each of: connecting to the proxy, its answer, the handshake behind it. */
  readonly timeout: Duration;
  readonly lookup: LookupFunction | undefined;
}

/** The proxy did not let us through, or not in time. */
class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: string;

  constructor(code: string) {
    super("the proxy does not let us through");
    this.code = code;
  }
}

type Created = (error: Error | null, socket?: Duplex) => void;

/**
 * TLS through a proxy (RFC 9110, "CONNECT"). Node has such an agent, which waits for the handshake for ever (T36) and
 * writes the proxy's password into its errors (S43).
 */
export class TunnelAgent extends Agent {
  private readonly tunnel: Tunnel;

  constructor(options: AgentOptions, tunnel: Tunnel) {
    super(options);
    this.tunnel = tunnel;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    // Node's own type wants a stream also where there is none.
    const created = callback as Created;
    const { proxy, timeout, lookup } = this.tunnel;
    const host = options.host?.includes(":") === true ? `[${options.host}]` : (options.host ?? "");
    const target = `${host}:${options.port ?? 443}`;
    const login = [proxy.username, proxy.password].map(decodeURIComponent).join(":");
    const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
    const request = (proxy.protocol === "https:" ? requestHttps : requestHttp)({
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : proxy.port,
      path: target,
      headers: { host: target, ...(login === ":" ? {} : { "proxy-authorization": authorization }) },
      timeout: timeout.toMillis(),
      agent: false,
      ...(lookup === undefined ? {} : { lookup }),
    });
    request.once("connect", (answer: IncomingMessage, socket: Socket) => {
      if (answer.statusCode === 200) this.secure(socket, options as ConnectionOptions, created);
      else {
        socket.destroy();
        created(refusal(answer));
      }
    });
    request.once("timeout", () => request.destroy(new TunnelError("ETIMEDOUT")));
    request.once("error", created);
    // Any other answer: what we asked for is not its business.
    request.once("response", (answer) => request.destroy(refusal(answer)));
    request.end();
  }

  private secure(socket: Socket, options: ConnectionOptions, created: Created): void {
    const secured = connectTls({ ...options, socket });
    const fail = (error: Error): void => {
      secured.destroy();
      created(error);
    };
    const late = (): void => {
      fail(new TunnelError("ETIMEDOUT"));
    };
    // While hands are shaken, nobody else looks at the connection below.
    socket.once("error", fail);
    socket.setTimeout(this.tunnel.timeout.toMillis(), late);
    secured.once("error", fail);
    secured.once("secureConnect", () => {
      socket.setTimeout(0);
      socket.off("timeout", late);
      secured.off("error", fail);
      created(null, secured);
    });
  }
}

function refusal({ statusCode = 0 }: IncomingMessage): Error {
  return statusCode === 407 ? refusedByProxy() : new TunnelError(`PROXY_ANSWERED_${statusCode}`);
}
