import { Readable } from "node:stream";
import {
  algorithmOf,
  digestOf,
  DigestMismatchError,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
} from "../../common/oci/digest.ts";
import { smallBlobBytes } from "./blobs.ts";
import type { Blobs, ByteRange, OpenBlob, StagedBlob, StagedEntry } from "./blobs.ts";
import { ContentNotFoundError } from "./store.ts";

/** The promises of `Blobs` for as long as the process lives. */
export class MemoryBlobs implements Blobs {
  private readonly contents = new Map<Digest, Buffer>();
  private readonly staging = new Map<string, Uint8Array[]>();
  private readonly keptApart = new Set<Digest>();

  async size(digest: Digest): Promise<number | undefined> {
    return this.contents.get(digest)?.length;
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    const bytes = this.contents.get(digest);
    if (bytes === undefined) throw new ContentNotFoundError(digest);
    const part = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    return Readable.from(part.length === 0 ? [] : [part]);
  }

  async open(digest: Digest): Promise<OpenBlob> {
    const bytes = Buffer.from(await this.readSmall(digest));
    return {
      size: bytes.length,
      read: async (into, position) => bytes.copy(into, 0, position),
      close: async () => undefined,
    };
  }

  async readSmall(digest: Digest): Promise<Uint8Array> {
    const bytes = this.contents.get(digest);
    if (bytes === undefined) throw new ContentNotFoundError(digest);
    return bytes;
  }

  recent(digest: Digest): Uint8Array | undefined {
    const bytes = this.contents.get(digest);
    return bytes !== undefined && bytes.length <= smallBlobBytes ? bytes : undefined;
  }

  async stage(key: string): Promise<StagedBlob> {
    const { contents, staging } = this;
    const chunks = staging.get(key) ?? [];
    staging.set(key, chunks);
    const bytes = (): Buffer => Buffer.concat(chunks);
    const digest = async (algorithm: DigestAlgorithm): Promise<Digest> => digestOf(bytes(), algorithm);
    return {
      key,
      get offset() {
        return chunks.reduce((sum, { length }) => sum + length, 0);
      },
      async append(content) {
        for await (const chunk of content) chunks.push(chunk);
      },
      async open() {
        return {
          size: bytes().length,
          read: async (into, position) => bytes().copy(into, 0, position),
          close: async () => undefined,
        };
      },
      digest,
      async publish(expected) {
        const actual = await digest(algorithmOf(expected));
        if (actual !== expected) throw new DigestMismatchError(expected, actual);
        contents.set(expected, bytes());
        staging.delete(key);
      },
      async discard() {
        staging.delete(key);
      },
    };
  }

  async staged(): Promise<readonly StagedEntry[]> {
    return [...this.staging].map(([key, chunks]) => ({
      key,
      size: Buffer.concat(chunks).length,
      touchedAt: 0,
    }));
  }

  async *list(): AsyncIterable<readonly Digest[]> {
    yield [...this.contents.keys()];
  }

  async stat(digest: Digest): Promise<{ size: number; cameAt: number } | undefined> {
    const bytes = this.contents.get(digest);
    return bytes === undefined ? undefined : { size: bytes.length, cameAt: 0 };
  }

  async remove(digest: Digest): Promise<void> {
    this.contents.delete(digest);
  }

  async vouch({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    return this.contents.get(digest)?.length === size;
  }

  async putApart(digest: Digest): Promise<void> {
    if (this.contents.delete(digest)) this.keptApart.add(digest);
  }

  async apart(): Promise<readonly Digest[]> {
    return [...this.keptApart];
  }

  async dropApart(digest: Digest): Promise<void> {
    this.keptApart.delete(digest);
  }
}
