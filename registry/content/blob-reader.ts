import type { Readable } from "node:stream";
import { hasCode } from "../../common/errors.ts";
import type { Digest } from "../../common/oci/digest.ts";
import { smallBlobBytes, type Blobs, type ByteRange, type OpenBlob } from "./blobs.ts";
import { ContentNotFoundError } from "./store.ts";

/** Reads blobs that rows know, and notices those whose files are not what the rows say. */
export class BlobReader {
  private readonly blobs: Blobs;
  private readonly suspect: (digest: Digest) => void;

  /** @param suspect told of a blob whose file is gone, is cut short or cannot be read, perhaps wrongly */
  constructor(blobs: Blobs, suspect: (digest: Digest) => void) {
    this.blobs = blobs;
    this.suspect = suspect;
  }

  /** Whether the file has all of its bytes. */
  async whole(digest: Digest, size: number): Promise<boolean> {
    const whole = (await this.blobs.size(digest)) === size;
    if (!whole) this.suspect(digest);
    return whole;
  }

  /** @throws {ContentNotFoundError} */
  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    const content = await this.blobs.read(digest, range);
    // A client that goes away is no error of the file.
    content.once("error", (error) => {
      if (hasCode(error, "EIO")) this.suspect(digest);
    });
    return content;
  }

  /** Its bytes if it is small, else open, to be closed by the caller. @throws {ContentNotFoundError} */
  async open(digest: Digest, size: number): Promise<Uint8Array | OpenBlob> {
    const small = size <= smallBlobBytes;
    const content = await this.reading<Uint8Array | OpenBlob>(digest, () =>
      small ? this.blobs.readSmall(digest) : this.blobs.open(digest),
    );
    if (content instanceof Uint8Array) {
      if (content.length === size) return content;
    } else {
      const read: OpenBlob["read"] = async (into, position) => {
        const came = await this.reading(digest, () => content.read(into, position));
        if (came === 0 && position < size) this.suspect(digest);
        return came;
      };
      if (content.size === size) return { size, read, close: () => content.close() };
      await content.close();
    }
    this.suspect(digest);
    throw new ContentNotFoundError(digest);
  }

  /** What `read` reads of a blob's file: if that fails, somebody should look at the file. */
  private async reading<T>(digest: Digest, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (hasCode(error, "EIO") || error instanceof ContentNotFoundError) this.suspect(digest);
      throw error;
    }
  }
}
