import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { hasCode } from "../../common/errors.ts";
import { algorithmOf, finish } from "../../common/oci/digest.ts";
import type { Descriptor, Digest, DigestAlgorithm } from "../../common/oci/digest.ts";
import { apartNamed, blobNamed, BlobPaths } from "./blob-paths.ts";
import { smallBlobBytes } from "./blobs.ts";
import type { Blobs, ByteRange, StagedBlob, StagedEntry } from "./blobs.ts";
import { DurableDirectories } from "./durable-directories.ts";
import { ensureDirectory, nodeFiles, syncDirectory, syncFile, type FileSystem } from "./files.ts";
import { OpenFile } from "./open-file.ts";
import { Recent } from "./recent.ts";
import { StagedFile } from "./staged-file.ts";
import { ContentNotFoundError } from "./store.ts";

const algorithms = ["sha256", "sha512"] as const;
/** Of all small blobs that are kept at hand. */
const recentBytes = 4 * 1024 ** 2;

/**
 * Blobs as files:
 *
 * ```text
 * <root>/
 *   blobs/<algorithm>/<first two digits>/<digits>   complete, verified, never changed
 *   staging/<key>                                   on its way in; its length is how far it came
 *   quarantine/<algorithm>-<digits>                 found damaged, kept for a while for whoever wants to look into it
 * ```
 *
 * A blob comes in as a staged file and is hashed while it is written; then fsync, rename to its place, fsync of the
 * directory. So a file under `blobs/` is whole at every moment, and after `publish` it survives power loss. A staged file is
 * not synced before that: after power loss it may be shorter or torn, which its digest shows.
 *
 * # Caveats
 * A file under `blobs/` says nothing about who may read it: that is the metadata's to say.
 */
export class FilesystemBlobs implements Blobs {
  private readonly files: FileSystem;
  private readonly paths: BlobPaths;
  private readonly directories: DurableDirectories;
  private readonly small = new Recent<Uint8Array>(recentBytes, ({ length }) => length);
  /** Counts files that went, or were replaced: what was read before is not kept at hand after it. */
  private removals = 0;

  private constructor(root: string, files: FileSystem) {
    this.files = files;
    this.paths = new BlobPaths(root);
    this.directories = new DurableDirectories(files);
  }

  static async open(root: string, files: FileSystem = nodeFiles): Promise<FilesystemBlobs> {
    const blobs = new FilesystemBlobs(root, files);
    await ensureDirectory(files, blobs.paths.staging);
    for (const algorithm of algorithms) await ensureDirectory(files, blobs.paths.directory(algorithm));
    return blobs;
  }

  async size(digest: Digest): Promise<number | undefined> {
    return (await this.stat(digest))?.size;
  }

  async stat(digest: Digest): Promise<{ size: number; cameAt: number } | undefined> {
    try {
      const { size, mtimeMs } = await this.files.stat(this.paths.blob(digest));
      return { size, cameAt: mtimeMs };
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  async *list(): AsyncIterable<readonly Digest[]> {
    for (const algorithm of algorithms) {
      for (const part of await this.files.list(this.paths.directory(algorithm))) {
        yield await this.listPart(algorithm, part);
      }
    }
  }

  async remove(digest: Digest): Promise<void> {
    this.forget(digest);
    await this.files.remove(this.paths.blob(digest));
  }

  async vouch(expected: Pick<Descriptor, "digest" | "size">, signal?: AbortSignal): Promise<boolean> {
    const { digest, size } = expected;
    if ((await this.size(digest)) !== size) return false;
    const algorithm = algorithmOf(digest);
    const hash = createHash(algorithm);
    try {
      for await (const chunk of await this.read(digest)) {
        hash.update(chunk as Buffer);
        signal?.throwIfAborted();
      }
    } catch (error) {
      if (error instanceof ContentNotFoundError || hasCode(error, "EIO")) return false;
      throw error;
    }
    if (finish(hash, algorithm) !== digest) return false;
    const path = await this.place(digest);
    const handle = await this.files.open(path, "r");
    try {
      await syncFile(handle);
    } finally {
      await handle.close();
    }
    await syncDirectory(this.files, dirname(path));
    return true;
  }

  async putApart(digest: Digest): Promise<void> {
    this.forget(digest);
    await ensureDirectory(this.files, this.paths.quarantine);
    try {
      await this.files.rename(this.paths.blob(digest), this.paths.apart(digest));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }

  async apart(): Promise<readonly Digest[]> {
    try {
      const names = await this.files.list(this.paths.quarantine);
      return names.map(apartNamed).filter((digest) => digest !== undefined);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  async dropApart(digest: Digest): Promise<void> {
    await this.files.remove(this.paths.apart(digest));
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    return (await this.handle(digest)).createReadStream(range ?? {});
  }

  async open(digest: Digest): Promise<OpenFile> {
    return OpenFile.of(await this.handle(digest));
  }

  async readSmall(digest: Digest): Promise<Uint8Array> {
    const before = this.removals;
    const file = await this.open(digest);
    try {
      // One that is larger than it should be is not kept, and whoever compares sizes refuses it.
      const bytes = await file.start(smallBlobBytes + 1);
      if (before === this.removals) this.small.set(digest, bytes);
      return bytes;
    } finally {
      await file.close();
    }
  }

  recent(digest: Digest): Uint8Array | undefined {
    return this.small.get(digest);
  }

  async stage(key: string, algorithm: DigestAlgorithm = "sha256"): Promise<StagedBlob> {
    const path = this.paths.staged(key);
    const handle = await this.files.open(path, "a", 0o600);
    try {
      const { size } = await handle.stat();
      return new StagedFile(this.files, path, key, size, algorithm, {
        place: (digest) => this.place(digest),
        placed: (digest) => {
          this.forget(digest);
        },
      });
    } finally {
      await handle.close();
    }
  }

  async staged(): Promise<readonly StagedEntry[]> {
    const entries: StagedEntry[] = [];
    for (const key of await this.files.list(this.paths.staging)) {
      try {
        const { size, mtimeMs } = await this.files.stat(this.paths.staged(key));
        entries.push({ key, size, touchedAt: mtimeMs });
      } catch (error) {
        // Finished since we listed it.
        if (!hasCode(error, "ENOENT")) throw error;
      }
    }
    return entries;
  }

  /** Where a blob goes, in a directory that survives power loss. */
  private async place(digest: Digest): Promise<string> {
    const path = this.paths.blob(digest);
    await this.directories.ensure(dirname(path));
    return path;
  }

  /** The blobs in one directory. Whatever else somebody put there is not ours. */
  private async listPart(algorithm: DigestAlgorithm, part: string): Promise<readonly Digest[]> {
    try {
      const names = await this.files.list(this.paths.directory(algorithm, part));
      const digests = names.map((name) => blobNamed(algorithm, part, name));
      return digests.filter((digest) => digest !== undefined);
    } catch (error) {
      if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
      throw error;
    }
  }

  private async handle(digest: Digest): Promise<FileHandle> {
    try {
      return await this.files.open(this.paths.blob(digest), "r");
    } catch (error) {
      if (hasCode(error, "ENOENT")) throw new ContentNotFoundError(digest);
      throw error;
    }
  }

  private forget(digest: Digest): void {
    this.removals++;
    this.small.delete(digest);
  }
}
