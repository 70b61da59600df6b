import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Sends `content`, and closes it whatever happens: when the client went away before the first byte, `pipeline` leaves it
 * open, and its file with it.
 */
export async function send(content: Readable, response: ServerResponse): Promise<void> {
  try {
    await pipeline(content, response);
  } finally {
    content.destroy();
  }
}
