import type { ServerResponse } from "node:http";
import type { ByteRange } from "../content/blobs.ts";
import type { ArrivingBlob } from "./elsewhere.ts";
import { TruncatedBlobError, writerOf } from "./send.ts";
import type { TransferBuffers } from "./transfer-buffers.ts";

/**
 * Sends `range` of a blob as it comes, and ends the response: each piece at once, however small. The head is written
 * already; the blob is the caller's to close. No buffer is held while nothing comes.
 *
 * @throws if the client goes away, or the rest will not come: the answer must then end with the connection
 */
export async function sendArriving(
  blob: ArrivingBlob,
  range: ByteRange,
  response: ServerResponse,
  buffers: TransferBuffers,
): Promise<void> {
  const write = writerOf(response);
  const left = new AbortController();
  response.once("close", () => {
    left.abort(new Error("the answer is over"));
  });
  buffers.begin();
  try {
    for (let position = range.start; position <= range.end;) {
      await blob.until(position, left.signal);
      const buffer = buffers.take();
      try {
        const wanted = Math.min(buffer.length, range.end + 1 - position);
        const length = await blob.read(buffer.subarray(0, wanted), position);
        if (length === 0) throw new TruncatedBlobError("a blob is shorter than it should be");
        await write(buffer.subarray(0, length));
        position += length;
      } finally {
        buffers.give(buffer);
      }
    }
  } finally {
    buffers.end();
  }
  response.end();
}
