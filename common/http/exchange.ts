import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import { pipeline, type Readable } from "node:stream";
import type { Duration } from "luxon";
import { request as requestHttp } from "./node-http.ts";

/** A body that is read while it is sent; opened anew for each try. */
export interface StreamedBody {
  readonly size: number;
  open(): Readable;
}

/** One request, and how long each part of it may take. There is no limit on the whole: a slow transfer that moves is fine. */
export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | StreamedBody;
  /** Must be an `https.Agent` when `url` is https. */
  readonly agent: Agent;
  /** Name resolution, connection and TLS handshake. */
  readonly connectTimeout: Duration;
  /** The longest silence of the peer, before the head of the response and within its body. */
  readonly idleTimeout: Duration;
  /** What stands for the system's name resolution. */
  readonly lookup?: LookupFunction | undefined;
  readonly signal?: AbortSignal;
  /** Told of the connection that is used. */
  readonly onSocket?: (socket: Socket) => void;
}

/** The peer was silent for too long. */
class PeerTimeoutError extends Error {
  override readonly name = "PeerTimeoutError";
  readonly code = "ETIMEDOUT";
}

/**
 * Sends one request and resolves with the head of the response. The caller must read the body to its end or destroy
 * it; a body that is cut short, stalls, or is aborted ends with an error.
 *
 * @throws the system's error (`ECONNREFUSED`, `CERT_HAS_EXPIRED` and the like), `ETIMEDOUT` when the peer is silent, or the signal's reason
 */
export async function exchange(options: Exchange): Promise<IncomingMessage> {
  try {
    return await send(options);
  } catch (error) {
    // A connection from the pool that the peer was just closing: nothing was answered, and all our requests are idempotent.
    if (!(error instanceof StaleConnection)) throw error;
    return await send(options);
  }
}

class StaleConnection extends Error {}

function send(options: Exchange): Promise<IncomingMessage> {
  const { url, method, headers, body, agent, signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let answer: IncomingMessage | undefined;
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      method,
      agent,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "content-length": String(sizeOf(body)) }),
      },
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    });
    const fail = (error: Error): void => {
      (answer ?? request).destroy(error);
    };
    const abort = (): void => {
      fail(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    request.once("close", () => signal?.removeEventListener("abort", abort));
    request.once("socket", (socket) => {
      options.onSocket?.(socket);
      const stop = watchSilence(socket, options, () => isOurTurn(request, answer), fail);
      request.once("close", stop);
    });
    request.once("response", (response) => {
      answer = response;
      resolve(response);
    });
    request.once("error", (error: Error & { readonly code?: string }) => {
      const stale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(stale && signal?.aborted !== true ? new StaleConnection() : error);
    });
    if (body === undefined || typeof body === "string") request.end(body);
    // What goes wrong is told by the request, or was its end; an answer that comes before all was sent counts as one.
    else pipeline(body.open(), request, () => undefined);
  });
}

function sizeOf(body: string | StreamedBody): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.size;
}

/** Whether nothing moves because of us: bytes wait for our reader, or all have come; or our body is not there yet. */
function isOurTurn(request: ClientRequest, answer: IncomingMessage | undefined): boolean {
  if (answer !== undefined) return answer.readableLength > 0 || answer.complete;
  return !request.writableEnded && request.writableLength === 0;
}

function watchSilence(
  socket: Socket,
  { connectTimeout, idleTimeout }: Exchange,
  isOurTurn: () => boolean,
  fail: (error: Error) => void,
): () => void {
  const connected = socket.connecting ? ("encrypted" in socket ? "secureConnect" : "connect") : undefined;
  const arm = (): void => {
    socket.setTimeout(idleTimeout.toMillis());
  };
  const silent = (): void => {
    if (!socket.connecting && isOurTurn()) arm();
    else fail(new PeerTimeoutError("the peer did not answer in time"));
  };
  socket.on("timeout", silent);
  if (connected === undefined) arm();
  else {
    socket.setTimeout(connectTimeout.toMillis());
    socket.once(connected, arm);
  }
  return () => {
    socket.off("timeout", silent);
    if (connected !== undefined) socket.off(connected, arm);
    socket.setTimeout(0);
  };
}

/** Closes the pool's idle connections: after an outage none of them can be trusted, and each would cost a timeout. */
export function dropIdleConnections(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
