import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import {
  algorithmOf,
  DigestMismatchError,
  finish,
  type Digest,
  type DigestAlgorithm,
} from "../../common/oci/digest.ts";
import type { OpenBlob, StagedBlob } from "./blobs.ts";
import { syncDirectory, syncFile, type FileSystem } from "./files.ts";
import { OpenFile } from "./open-file.ts";

/** Where blobs go. */
export interface Shelf {
  /** The file of a blob, on the same file system as what is staged, and in a directory that survives power loss. */
  place(digest: Digest): Promise<string>;
  /** There is a new file now, perhaps in the place of a damaged one. */
  placed(digest: Digest): void;
}

/**
 * A blob on its way in, in a file that another process may have begun. Holds no file open between two calls, so that
 * many uploads may rest.
 */
export class StagedFile implements StagedBlob {
  readonly key: string;
  private readonly files: FileSystem;
  private readonly path: string;
  private readonly shelf: Shelf;
  private readonly algorithm: DigestAlgorithm;
  private size: number;
  /** Of all `size` bytes; absent where an earlier process wrote some of them. */
  private hash: Hash | undefined;

  /**
   * @param size of the file at `path`, which exists
   * @param algorithm of the digest that is known while the bytes come, without reading them again
   */
  constructor(
    files: FileSystem,
    path: string,
    key: string,
    size: number,
    algorithm: DigestAlgorithm,
    shelf: Shelf,
  ) {
    this.files = files;
    this.path = path;
    this.key = key;
    this.size = size;
    this.algorithm = algorithm;
    this.hash = size === 0 ? createHash(algorithm) : undefined;
    this.shelf = shelf;
  }

  get offset(): number {
    return this.size;
  }

  async append(content: AsyncIterable<Uint8Array>): Promise<void> {
    const handle = await this.files.open(this.path, "r+");
    try {
      for await (const chunk of content) {
        for (let written = 0; written < chunk.length;) {
          const { bytesWritten } = await handle.write(
            chunk,
            written,
            chunk.length - written,
            this.size + written,
          );
          written += bytesWritten;
        }
        this.hash?.update(chunk);
        this.size += chunk.length;
      }
    } catch (error) {
      // A write that failed half-way left bytes that nobody counted. If this fails too, `publish` notices.
      await handle.truncate(this.size).catch(() => undefined);
      throw error;
    } finally {
      await handle.close();
    }
  }

  async open(): Promise<OpenBlob> {
    return OpenFile.of(await this.files.open(this.path, "r"));
  }

  async digest(algorithm: DigestAlgorithm): Promise<Digest> {
    if (algorithm === this.algorithm && this.hash !== undefined) return finish(this.hash.copy(), algorithm);
    const hash = createHash(algorithm);
    const handle = await this.files.open(this.path, "r");
    for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer);
    if (algorithm === this.algorithm) this.hash = hash.copy();
    return finish(hash, algorithm);
  }

  async publish(digest: Digest): Promise<void> {
    const actual = await this.digest(algorithmOf(digest));
    if (actual !== digest) throw new DigestMismatchError(digest, actual);
    const handle = await this.files.open(this.path, "r+");
    try {
      const { size } = await handle.stat();
      if (size !== this.size) throw new DigestMismatchError(`${this.size} bytes`, `${size}`);
      await syncFile(handle);
    } finally {
      await handle.close();
    }
    const target = await this.shelf.place(digest);
    await this.files.rename(this.path, target);
    this.shelf.placed(digest);
    await syncDirectory(this.files, dirname(target));
  }

  async discard(): Promise<void> {
    await this.files.remove(this.path);
  }
}
