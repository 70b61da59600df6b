import type { Readable } from "node:stream";

/** The peer sent more than we take (S04). */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";

  constructor(limit: number) {
    super(`the response has more than ${limit} bytes`);
  }
}

/**
 * All of `body`, which is destroyed once it has more than `limit` bytes.
 *
 * @throws {BodyTooLargeError}
 */
export async function readBody(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new BodyTooLargeError(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The lines of `body` as they come, without their ends.
 *
 * @throws {BodyTooLargeError} for a line of more than `limit` bytes
 */
export async function* readLines(body: Readable, limit: number): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
      rest = [];
      size = 0;
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > limit) throw new BodyTooLargeError(limit);
  }
  if (size > 0) yield Buffer.concat(rest).toString("utf8");
}
