import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { OciError } from "../../common/oci/errors.ts";

/**
 * The body of `request` as a stream that may be destroyed: the connection stays, so that the client can be told why.
 */
export function bodyOf(request: IncomingMessage): Readable {
  return Readable.from(chunksOf(request), { objectMode: false });
}

/** `body`, which fails with `SIZE_INVALID` unless it has `size` bytes. */
export function exactly(size: number, body: Readable): Readable {
  async function* counted(): AsyncIterable<Buffer> {
    let taken = 0;
    for await (const chunk of body) {
      taken += (chunk as Buffer).length;
      if (taken > size) break;
      yield chunk as Buffer;
    }
    if (taken !== size) throw new OciError("SIZE_INVALID");
  }
  return Readable.from(counted(), { objectMode: false });
}

/** A failure of whoever reads only ends this loop; thrown into the request's own iterator, it would destroy the request. */
async function* chunksOf(request: IncomingMessage): AsyncIterable<Buffer> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

/** So much of a body may always be kept in memory: of a thousand connections that is not much. */
const smallBytes = 64 * 1024;
/** What all bodies together may have beyond that. */
const maxGathered = 64 * 1024 ** 2;
/** What they have now: one number for the whole process, since it is about the memory of the process. */
let gathered = 0;

/**
 * All of a body, in memory.
 *
 * @throws {OciError} `PAYLOAD_TOO_LARGE` as soon as there are more than `limit` bytes (S02); `TOOMANYREQUESTS` if others that
 * are coming take too much memory already
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = (): OciError =>
    new OciError("PAYLOAD_TOO_LARGE", { message: `the request body has more than ${limit} bytes` });
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  let counted = 0;
  try {
    for await (const chunk of bodyOf(request)) {
      size += (chunk as Buffer).length;
      if (size > limit) throw tooLarge();
      const more = Math.max(0, size - smallBytes) - counted;
      if (more > 0 && gathered + more > maxGathered) {
        throw new OciError("TOOMANYREQUESTS", { message: "too many large documents are being sent at once" });
      }
      gathered += more;
      counted += more;
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  } finally {
    gathered -= counted;
  }
}
