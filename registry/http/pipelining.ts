import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many requests may wait behind another on their connection. Clients of registries send none before its answer. */
const maxWaiting = 16;

/**
 * Lets the requests of one connection begin one after the other. Node begins each as it comes, though its answer waits for
 * those before: of a client that sends thousands and reads nothing, each would open its file and read its first bytes (S05).
 */
export class Pipelining {
  private readonly waiting = new WeakMap<Socket, number>();

  /**
   * Calls `begin` once the answers before it are sent: at once if there are none, never if the connection ends before.
   *
   * @returns false if too many wait already; it will not be called then
   */
  begin({ socket }: IncomingMessage, response: ServerResponse, begin: () => void): boolean {
    // A response has the connection from when it is its turn.
    if (response.socket !== null) {
      begin();
      return true;
    }
    const waiting = this.waiting.get(socket) ?? 0;
    if (waiting >= maxWaiting) return false;
    this.waiting.set(socket, waiting + 1);
    response.once("socket", () => {
      this.waiting.set(socket, (this.waiting.get(socket) ?? 1) - 1);
      // Node is in the middle of handing the connection over.
      queueMicrotask(begin);
    });
    return true;
  }
}
