import { pipeline, Readable } from "node:stream";
import type { IncomingMessage } from "node:http";
import { verify, type Descriptor } from "../../common/oci/digest.ts";
import { ContentNotFoundError } from "../content/store.ts";
import type { ParentClient, ParentRequest } from "./client.ts";
import { NotFoundError, NotResumableError, ProtocolError, UnreachableError } from "./errors.ts";

/**
 * The bytes of `target` from `offset` on, verified if they are to be all of them, and continued with a Range request when the connection is lost, as long as each
 * try brings something. Nothing is buffered. It never joins two answers unless the second says that it continues the
 * first: otherwise it ends with `NotResumableError`, and the caller may start over (T31).
 *
 * @throws {ContentNotFoundError} and all of `ParentClient.send`, before there is a stream
 */
export async function openBlob(
  client: ParentClient,
  request: ParentRequest,
  target: Descriptor,
  from: { readonly offset: number; readonly verified: boolean },
): Promise<Readable> {
  const bytes = resumed(client, request, target, from.offset);
  let first: IteratorResult<Buffer> | undefined = await bytes.next();
  // Not a generator: one that was not begun would leave the connection open when its reader goes away.
  const all: AsyncIterableIterator<Buffer> = {
    async next() {
      const result = first ?? (await bytes.next());
      first = undefined;
      return result;
    },
    return: () => bytes.return(undefined),
    [Symbol.asyncIterator]: () => all,
  };
  const rest = Readable.from(all, { objectMode: false });
  // Whoever reads the result gets the error; there is nothing else to do with it here.
  return from.verified ? pipeline(rest, verify(target), () => undefined) : rest;
}

async function* resumed(
  client: ParentClient,
  request: ParentRequest,
  target: Descriptor,
  start: number,
): AsyncGenerator<Buffer> {
  let offset = start;
  let etag: string | undefined;
  let failures = 0;
  for (;;) {
    try {
      const response = await client.send({
        ...request,
        urgency: "bulk",
        headers: rangeFrom(offset, etag),
      });
      if (offset === 0 && response.statusCode !== 206) etag = response.headers.etag;
      else assertContinues(response, offset, target.size, etag);
      etag ??= response.headers.etag;
      for await (const chunk of client.chunks(response, request.signal)) {
        offset += chunk.length;
        failures = 0;
        yield chunk;
      }
      if (offset >= target.size) return;
      throw new UnreachableError(`${client.origin.host} ended a transfer early.`);
    } catch (error) {
      if (offset > 0 && error instanceof ProtocolError && error.status === 416) {
        throw new NotResumableError(`${client.origin.host} does not continue transfers.`, { cause: error });
      }
      if (error instanceof NotFoundError) throw new ContentNotFoundError(target.digest);
      failures += 1;
      await client.recover(error, failures, request.signal);
    }
  }
}

function rangeFrom(offset: number, etag: string | undefined): Readonly<Record<string, string>> {
  if (offset === 0) return {};
  // A weak tag must not be used here (RFC 9110, section 13.1.5).
  const strong = etag !== undefined && !etag.startsWith("W/");
  return { range: `bytes=${offset}-`, ...(strong ? { "if-range": etag } : {}) };
}

function assertContinues(
  response: IncomingMessage,
  offset: number,
  size: number,
  etag: string | undefined,
): void {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers["content-range"] ?? "");
  const sameRange = Number(range?.[1]) === offset && (range?.[2] === "*" || Number(range?.[2]) === size);
  const sameContent =
    etag === undefined || response.headers.etag === undefined || response.headers.etag === etag;
  if (response.statusCode === 206 && sameRange && sameContent) return;
  response.destroy();
  throw new NotResumableError("The parent answered a request for the rest of a blob with something else.");
}
