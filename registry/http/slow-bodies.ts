import type { IncomingMessage } from "node:http";
import { seconds } from "../../common/clock.ts";

/** How often it is looked whether bodies still come. */
export const bodyCheckInterval = seconds(60);
/** What must come in that time: any link that an image could ever come over is faster. */
const leastBytes = 4096;

/**
 * Ends requests whose bodies come so slowly that they can only mean to hold a connection (S05). The timeout of the
 * connection sees those that do not move at all; this sees those that send a byte now and then.
 */
export class SlowBodies {
  /** Requests whose bodies are not all here, and how much their connections had brought at the last look. */
  private readonly coming = new Map<IncomingMessage, number>();

  watch(request: IncomingMessage): void {
    if (request.complete) return;
    this.coming.set(request, request.socket.bytesRead);
    const forget = (): void => {
      this.coming.delete(request);
    };
    request.once("end", forget).once("close", forget);
  }

  /** To be called every `bodyCheckInterval`. @returns how many requests were ended */
  check(): number {
    let ended = 0;
    for (const [request, before] of this.coming) {
      const { bytesRead } = request.socket;
      // What is here and unread waits for us, not for the client.
      const ours = request.readableLength > 0;
      const news = before !== bytesRead && bytesRead - before >= leastBytes;
      if (ours || news) this.coming.set(request, bytesRead);
      else {
        this.coming.delete(request);
        request.socket.destroy();
        ended++;
      }
    }
    return ended;
  }
}
