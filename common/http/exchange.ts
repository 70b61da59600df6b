import type { Agent, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import type { Duration } from "luxon";
import { request as requestHttp } from "./node-http.ts";

/** One request, and how long each part of it may take. There is no limit on the whole: a slow transfer that moves is fine. */
export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Must be an `https.Agent` when `url` is https. */
  readonly agent: Agent;
  /** Name resolution, connection and TLS handshake. */
  readonly connectTimeout: Duration;
  /** The longest silence of the peer, before the head of the response and within its body. */
  readonly idleTimeout: Duration;
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
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
      },
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
      const stop = watchSilence(socket, options, () => answer, fail);
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
    request.end(body);
  });
}

function watchSilence(
  socket: Socket,
  { connectTimeout, idleTimeout }: Exchange,
  answer: () => IncomingMessage | undefined,
  fail: (error: Error) => void,
): () => void {
  const connected = socket.connecting ? ("encrypted" in socket ? "secureConnect" : "connect") : undefined;
  const arm = (): void => {
    socket.setTimeout(idleTimeout.toMillis());
  };
  const silent = (): void => {
    const received = answer();
    // Bytes wait for us, or all have come: it is our reader that is slow, not the peer.
    if (received !== undefined && (received.readableLength > 0 || received.complete)) arm();
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
