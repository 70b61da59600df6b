import type { Socket } from "node:net";
import type { LinkTraffic } from "./gate.ts";

interface Seen {
  received: number;
  sent: number;
}

/** Knows what connections have moved, so that each byte is told once. */
export class SocketMeter {
  private readonly seen = new WeakMap<Socket, Seen>();
  private readonly rest: (traffic: LinkTraffic) => void;

  /** @param rest told what a connection had moved by its end and nobody had taken */
  constructor(rest: (traffic: LinkTraffic) => void) {
    this.rest = rest;
  }

  /** Counts `socket` from its beginning on. */
  watch(socket: Socket): void {
    if (this.seen.has(socket)) return;
    this.seen.set(socket, { received: 0, sent: 0 });
    socket.once("close", () => {
      this.rest(this.take(socket));
    });
  }

  /** What has moved since the last time. */
  take(socket: Socket): LinkTraffic {
    const seen = this.seen.get(socket);
    if (seen === undefined) return { received: 0, sent: 0 };
    const received = socket.bytesRead - seen.received;
    const sent = socket.bytesWritten - seen.sent;
    seen.received += received;
    seen.sent += sent;
    return { received, sent };
  }
}
