import type { ServerResponse } from "node:http";
import type { ByteRange, OpenBlob } from "../content/blobs.ts";
import type { TransferBuffers } from "./transfer-buffers.ts";

/** The blob ended before the bytes that were promised. */
export class TruncatedBlobError extends Error {
  override readonly name = "TruncatedBlobError";
}

/** As Node says of a stream that ended before its time. */
const closedEarly = "ERR_STREAM_PREMATURE_CLOSE";

interface Chunk {
  readonly buffer: Buffer;
  readonly length: number;
}

/**
 * Sends `range` of `blob`, no faster than the client takes it, and ends the response. The head is written already; the
 * blob is the caller's to close. Buffers go back whatever happens, and only when nobody reads or writes them any more.
 *
 * @throws if the client goes away, or the blob cannot be read
 */
export async function send(
  blob: OpenBlob,
  range: ByteRange,
  response: ServerResponse,
  buffers: TransferBuffers,
): Promise<void> {
  let position = range.start;
  const left = (): number => range.end + 1 - position;
  const read = (): Promise<Chunk> => {
    const buffer = buffers.take();
    const length = Math.min(buffer.length, left());
    const at = position;
    position += length;
    return fill(blob, buffer, length, at, buffers);
  };
  const write = writerOf(response);
  let ahead: Promise<Chunk> | undefined;
  buffers.begin();
  try {
    while (ahead !== undefined || left() > 0) {
      const { buffer, length } = await (ahead ?? read());
      ahead = undefined;
      try {
        const written = write(length === buffer.length ? buffer : buffer.subarray(0, length));
        if (left() > 0 && buffers.quiet) ahead = watched(read());
        await written;
      } finally {
        buffers.give(buffer);
      }
    }
  } finally {
    await ahead?.then(
      ({ buffer }) => {
        buffers.give(buffer);
      },
      () => undefined,
    );
    buffers.end();
  }
  response.end();
}

/** Fills the first `length` bytes of `buffer`, or gives it back. */
async function fill(
  blob: OpenBlob,
  buffer: Buffer,
  length: number,
  position: number,
  buffers: TransferBuffers,
): Promise<Chunk> {
  try {
    for (let came = 0; came < length;) {
      const more = await blob.read(buffer.subarray(came, length), position + came);
      if (more === 0) throw new TruncatedBlobError("a blob is shorter than it should be");
      came += more;
    }
    return { buffer, length };
  } catch (error) {
    buffers.give(buffer);
    throw error;
  }
}

/** Somebody awaits `work` later: if it fails before that, nothing is unhandled. */
function watched<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/**
 * Writes to `response`; what it returns settles when the bytes were handed to the system, or the connection is closed: a
 * response whose connection is gone forgets its callbacks.
 */
export function writerOf(response: ServerResponse): (bytes: Buffer) => Promise<void> {
  let settle: (error?: Error | null) => void = () => undefined;
  response.once("close", () => {
    settle(gone());
  });
  return (bytes) =>
    new Promise((resolve, reject) => {
      settle = (error) => {
        if (error) reject(error);
        else resolve();
      };
      if (response.destroyed) settle(gone());
      else response.write(bytes, settle);
    });
}

function gone(): Error {
  return Object.assign(new Error("the client went away"), { code: closedEarly });
}
