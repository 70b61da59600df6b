import { Readable } from "node:stream";
import type { StreamedBody } from "../../common/http/exchange.ts";
import type { Descriptor } from "../../common/oci/digest.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { KeptUpload, OutboxUploads } from "../content/outbox/uploads.ts";
import type { ContentRepository } from "../content/repository.ts";
import { ContentNotFoundError } from "../content/store.ts";
import { NotFoundError, ProtocolError, UnreachableError } from "../remote/errors.ts";
import type { ParentWriter } from "./target.ts";

export interface BlobRoute {
  readonly from: Pick<ContentRepository, "name" | "blobSize" | "readBlob">;
  readonly to: ParentWriter;
  /** Remembers where uploads go on. */
  readonly uploads: Pick<OutboxUploads, "find" | "keep">;
  /** How much one request carries, for all blobs: what one of them learns of the parent holds for the others. */
  readonly parts: PartSize;
  /** Told how many bytes the parent has taken. */
  readonly sent: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** How often the parent may lose its way within one blob, with nothing gained, before that is given up for now. */
const maxSetbacks = 6;

const smallestPart = 256 * 1024;
/** A greater least size is no size of parts. */
const largestPart = 1024 ** 3;

/** How many bytes go into one request: as many as the parent takes, which registries do not tell (T33). */
export class PartSize {
  bytes = 8 * 1024 ** 2;

  /** The parent takes no less. */
  grow(least: number): void {
    this.bytes = Math.max(this.bytes, Math.min(least, largestPart));
  }

  /** The parent takes less than `size`. False if that makes no sense any more. */
  shrink(size: number): boolean {
    this.bytes = Math.min(this.bytes, size / 2);
    return this.bytes >= smallestPart;
  }
}

/**
 * Sends one blob in parts of equal size, and goes on where an earlier try stopped, also one of an earlier process: each
 * part that the parent has acknowledged is paid for once (T33).
 *
 * @param mount a repository of the parent that may have the blob
 * @throws {ContentNotFoundError} if it is not here
 */
export async function sendBlob(
  blob: Descriptor,
  mount: RepositoryName | undefined,
  route: BlobRoute,
): Promise<void> {
  const { from } = route;
  // The parent would be told the wrong length, and we that the connection was lost.
  if ((await from.blobSize(blob.digest)) !== blob.size) throw new ContentNotFoundError(blob.digest);
  const upload =
    (await resumed(blob, route)) ?? (await route.to.beginUpload(blob.digest, mount, route.signal));
  route.parts.grow(upload?.leastPart ?? 0);
  if (upload !== undefined) await carryOn(blob, upload, route);
  await route.uploads.keep(from.name, blob.digest, undefined);
}

async function resumed({ digest, size }: Descriptor, route: BlobRoute): Promise<KeptUpload | undefined> {
  const kept = route.uploads.find(route.from.name, digest);
  if (kept === undefined) return undefined;
  const found = await route.to.findUpload(kept, route.signal);
  return found !== undefined && found.offset <= size ? found : undefined;
}

async function carryOn(blob: Descriptor, begun: KeptUpload, route: BlobRoute): Promise<void> {
  let upload = begun;
  for (let setbacks = 0; ;) {
    const size = route.parts.bytes;
    try {
      if (blob.size - upload.offset <= size) {
        await finish(blob, upload, route);
        return;
      }
      const next = await route.to.append(upload, part(blob, upload.offset, size, route), route.signal);
      if (next.offset <= upload.offset || next.offset > blob.size) {
        throw new ProtocolError("The parent lost a part of an upload.", 416);
      }
      route.sent(next.offset - upload.offset);
      upload = next;
      setbacks = 0;
      await route.uploads.keep(route.from.name, blob.digest, upload);
    } catch (error) {
      if (!isSetback(error, size, route.parts) || ++setbacks > maxSetbacks) throw error;
      upload = (await route.to.findUpload(upload, route.signal)) ?? (await afresh(blob, route));
    }
  }
}

async function finish(blob: Descriptor, upload: KeptUpload, route: BlobRoute): Promise<void> {
  const left = blob.size - upload.offset;
  const bytes = left === 0 ? undefined : part(blob, upload.offset, left, route);
  try {
    await route.to.finish(upload, blob.digest, bytes, route.signal);
  } catch (error) {
    // Whether it has taken the last part is for the parent to say: the next try asks it.
    if (error instanceof UnreachableError && upload.offset > 0) {
      await route.uploads.keep(route.from.name, blob.digest, upload);
    }
    throw error;
  }
  route.sent(left);
}

/** The parent forgot the upload: what it had of it is lost. */
async function afresh({ digest }: Descriptor, { from, to, uploads, signal }: BlobRoute): Promise<KeptUpload> {
  await uploads.keep(from.name, digest, undefined);
  const upload = await to.beginUpload(digest, undefined, signal);
  if (upload === undefined) throw new ProtocolError("The parent mounts what it was not asked to mount.");
  return upload;
}

function part({ digest }: Descriptor, offset: number, size: number, { from }: BlobRoute): StreamedBody {
  async function* bytes(): AsyncGenerator<Buffer> {
    yield* (await from.readBlob(digest, { start: offset, end: offset + size - 1 })) as AsyncIterable<Buffer>;
  }
  return { size, open: () => Readable.from(bytes(), { objectMode: false }) };
}

/**
 * Whether asking the parent how far it is helps: it takes no more at once, expects another part, or forgot the upload.
 *
 * @param size of the part that it refused
 */
function isSetback(error: unknown, size: number, parts: PartSize): boolean {
  if (error instanceof NotFoundError) return true;
  if (!(error instanceof ProtocolError)) return false;
  return error.status === 416 || (error.status === 413 && parts.shrink(size));
}
