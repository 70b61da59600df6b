import { hasCode } from "../../common/errors.ts";
import { addAbortSignal, pipeline, Readable } from "node:stream";
import { digestOf, algorithmOf, DigestMismatchError, isDigest, verify } from "../../common/oci/digest.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError, maxManifestBytes, parseManifest } from "../../common/oci/manifest.ts";
import type { Manifest } from "../../common/oci/manifest.ts";
import { isManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { Condition } from "./condition.ts";
import { smallBlobBytes, type Blobs, type ByteRange, type OpenBlob } from "./blobs.ts";
import { takeOver } from "./incoming.ts";
import type { PullTimes } from "./collect/pulls.ts";
import type { Holds } from "./holds.ts";
import type { Ingests } from "./ingests.ts";
import type { Intake } from "./intake.ts";
import type { Locks } from "./locks/locks.ts";
import type { Metadata, PageRequest, Referrer, StoredManifest } from "./metadata.ts";
import { pages } from "./pages.ts";
import { isStorageFull, type Quota } from "./quota.ts";
import { ContentNotFoundError, TagNotFoundError } from "./store.ts";
import type { Ingest, PinningWriter, PushOptions, ResumableWriter, SyncTarget } from "./store.ts";

/** What repositories are made of; shared by all of one registry. */
export interface RepositoryParts {
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly intake: Intake;
  readonly ingests: Ingests;
  readonly quota: Quota;
  readonly locks: Pick<Locks, "demandWrite">;
  readonly holds: Pick<Holds, "pin">;
  readonly pulls: Pick<PullTimes, "note">;
  /** Told of a blob whose file is gone, is cut short or cannot be read, perhaps wrongly. */
  readonly suspect: (digest: Digest) => void;
}

export interface ManifestPut {
  /** What the client says it is; absent: it is stored under its SHA-256. */
  readonly expected?: Digest;
  readonly tags: readonly Tag[];
  readonly condition?: Condition;
}

/** One repository of this registry. Sees only content that is linked to it, whatever else the registry has (S20). */
export class ContentRepository implements SyncTarget, ResumableWriter, PinningWriter {
  readonly name: RepositoryName;
  private readonly parts: RepositoryParts;

  constructor(name: RepositoryName, parts: RepositoryParts) {
    this.name = name;
    this.parts = parts;
  }

  async exists(target: Descriptor): Promise<boolean> {
    const { metadata } = this.parts;
    if (isManifest(target.mediaType))
      return (await metadata.describe(this.name, target.digest)) !== undefined;
    return (await this.blobSize(target.digest)) !== undefined;
  }

  async fetch(target: Descriptor, signal?: AbortSignal): Promise<Readable> {
    const source = isManifest(target.mediaType)
      ? Readable.from([(await this.manifest(target.digest)).bytes])
      : await this.readBlob(target.digest);
    const verified = pipeline(source, verify(target), () => undefined);
    return signal === undefined ? verified : addAbortSignal(signal, verified);
  }

  async push(expected: Descriptor, content: Readable, options: PushOptions = {}): Promise<void> {
    takeOver(content, options.signal);
    if (await this.exists(expected)) {
      content.destroy();
      if (!isManifest(expected.mediaType)) await this.relyOnBlob(expected.digest);
      // Somebody else may just be storing it: it is theirs to finish, and ours to be sure of.
      await this.parts.metadata.durable();
      return;
    }
    this.parts.locks.demandWrite(this.name);
    if (!isManifest(expected.mediaType)) {
      await this.parts.intake.push(this.name, expected, content);
      return;
    }
    const bytes = await readManifest(expected, content);
    const manifest = parseManifest(bytes, expected.mediaType);
    await this.store({ descriptor: expected, bytes, manifest, sparse: options.sparse ?? [], tags: [] });
  }

  async ingest(expected: Descriptor, signal?: AbortSignal): Promise<Ingest> {
    this.parts.locks.demandWrite(this.name);
    return this.parts.ingests.begin(this.name, expected, signal);
  }

  /** The size of a blob, or `undefined` if the repository does not have it. */
  async blobSize(digest: Digest): Promise<number | undefined> {
    const size = this.parts.metadata.blobSize(this.name, digest);
    if (size === undefined || (await this.parts.blobs.size(digest)) === size) return size;
    this.parts.suspect(digest);
    return undefined;
  }

  /** Not verified again: a client checks what it gets. @throws {ContentNotFoundError} */
  async readBlob(digest: Digest, range?: ByteRange): Promise<Readable> {
    if (this.parts.metadata.blobSize(this.name, digest) === undefined) {
      throw new ContentNotFoundError(digest);
    }
    const content = await this.parts.blobs.read(digest, range);
    // A client that goes away is no error of the file.
    content.once("error", (error) => {
      if (hasCode(error, "EIO")) this.parts.suspect(digest);
    });
    return content;
  }

  /** A small blob that is at hand; if there is none it may be here nevertheless. */
  recentBlob(digest: Digest): Uint8Array | undefined {
    const bytes = this.parts.blobs.recent(digest);
    return bytes?.length === this.parts.metadata.blobSize(this.name, digest) ? bytes : undefined;
  }

  /** A blob that a client wants to have: its bytes if it is small, else open, to be closed by the caller. @throws {ContentNotFoundError} */
  async openBlob(digest: Digest): Promise<Uint8Array | OpenBlob> {
    const { metadata, blobs } = this.parts;
    const size = metadata.blobSize(this.name, digest);
    if (size === undefined) throw new ContentNotFoundError(digest);
    const small = size <= smallBlobBytes;
    const content = await this.reading<Uint8Array | OpenBlob>(digest, () =>
      small ? blobs.readSmall(digest) : blobs.open(digest),
    );
    if (content instanceof Uint8Array) {
      if (content.length === size) return content;
    } else {
      const read: OpenBlob["read"] = async (into, position) => {
        const came = await this.reading(digest, () => content.read(into, position));
        if (came === 0 && position < size) this.parts.suspect(digest);
        return came;
      };
      if (content.size === size) return { size, read, close: () => content.close() };
      await content.close();
    }
    this.parts.suspect(digest);
    throw new ContentNotFoundError(digest);
  }

  /**
   * Somebody was told that a blob is here, and may not push it again: it stays as long as one that has just come, also when
   * what needs it now goes. Writes twice a minute at most; a disk that is full keeps nobody from being told.
   */
  async relyOnBlob(digest: Digest): Promise<void> {
    try {
      await this.parts.metadata.renewBlob(this.name, digest);
    } catch (error) {
      if (!isStorageFull(error)) throw error;
    }
  }

  /** Takes a blob that `from` has; false if it has not. Whether the caller may read `from` is the caller's to know. */
  async mountBlob(digest: Digest, from: RepositoryName): Promise<boolean> {
    const { metadata, blobs, quota } = this.parts;
    // A file that a broken disk lost must come in again, so it is not there.
    const size = metadata.blobSize(from, digest);
    if (size === undefined || (await blobs.size(digest)) !== size) return false;
    const counted = metadata.blobSize(this.name, digest) === undefined ? size : 0;
    return quota.sharing(this.name, counted, () => metadata.mountBlob(this.name, digest, from));
  }

  /** @throws {ContentNotFoundError} @throws {ContentInUseError} while a manifest of the repository needs it */
  async deleteBlob(digest: Digest): Promise<void> {
    if (!(await this.parts.metadata.unlinkBlob(this.name, digest))) throw new ContentNotFoundError(digest);
  }

  /** @throws {ContentNotFoundError} */
  async manifest(digest: Digest): Promise<StoredManifest> {
    const found = await this.parts.metadata.manifest(this.name, digest);
    if (found === undefined) throw new ContentNotFoundError(digest);
    return found;
  }

  /**
   * Stores a manifest of a client and points `tags` at it, in one step. A client may push an index without all of its
   * children: those that are missing now are left out, explicitly, until they come.
   *
   * @throws {InvalidManifestError} @throws {DigestMismatchError} @throws {ContentNotFoundError}
   * @throws {ConditionFailedError}
   */
  async putManifest(
    bytes: Uint8Array,
    mediaType: string,
    put: ManifestPut,
  ): Promise<StoredManifest & { manifest: Manifest }> {
    const manifest = parseManifest(bytes, mediaType);
    const digest = digestOf(bytes, put.expected === undefined ? "sha256" : algorithmOf(put.expected));
    if (put.expected !== undefined && digest !== put.expected)
      throw new DigestMismatchError(put.expected, digest);
    const descriptor = { mediaType, digest, size: bytes.length };
    const { tags, condition } = put;
    const extra = condition === undefined ? {} : { condition };
    await this.store({ descriptor, bytes, manifest, sparse: "missing", tags, ...extra });
    return { descriptor, bytes, manifest };
  }

  /** A client asked for this manifest: retention may go by that. Costs no write. */
  pulled(digest: Digest): void {
    this.parts.pulls.note(this.name, digest);
  }

  /** Keeps content until the function that it returns is called, though no manifest or tag may name it yet. */
  pin(digests: readonly Digest[]): () => void {
    return this.parts.holds.pin(digests);
  }

  /** The manifest that a tag points at, or that has a digest. @throws {TagNotFoundError} @throws {ContentNotFoundError} */
  find(reference: Tag | Digest): StoredManifest {
    const found = this.parts.metadata.find(this.name, reference);
    if (found !== undefined) return found;
    throw isDigest(reference) ? new ContentNotFoundError(reference) : new TagNotFoundError(reference);
  }

  /** With its tags. @throws {ContentNotFoundError} */
  async deleteManifest(digest: Digest): Promise<void> {
    const deleted = await this.parts.metadata.deleteManifest(this.name, digest);
    if (!deleted) throw new ContentNotFoundError(digest);
  }

  async resolve(tag: Tag): Promise<Descriptor> {
    const found = await this.parts.metadata.resolve(this.name, tag);
    if (found === undefined) throw new TagNotFoundError(tag);
    return found;
  }

  tag(target: Descriptor, tag: Tag): Promise<void> {
    return this.parts.metadata.tag(this.name, target.digest, tag);
  }

  /** @throws {TagNotFoundError} @throws {ConditionFailedError} */
  async untag(tag: Tag, holds?: Condition["holds"]): Promise<void> {
    if (!(await this.parts.metadata.untag(this.name, tag, holds))) throw new TagNotFoundError(tag);
  }

  tagPage(page: PageRequest): Promise<readonly Tag[]> {
    return this.parts.metadata.tags(this.name, page);
  }

  tags(signal?: AbortSignal): AsyncIterable<Tag> {
    return pages(
      (page) => this.tagPage(page),
      (tag) => tag,
      signal,
    );
  }

  referrerPage(subject: Digest, page: PageRequest, artifactType?: string): Promise<readonly Referrer[]> {
    return this.parts.metadata.referrers(this.name, subject, page, artifactType);
  }

  referrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Referrer> {
    return pages(
      (page) => this.referrerPage(subject, page),
      ({ digest }) => digest,
      signal,
    );
  }

  /** Whether the repository has, or had, any content. */
  known(): Promise<boolean> {
    return this.parts.metadata.hasRepository(this.name);
  }

  /** What `read` reads of a blob's file: if that fails, somebody should look at the file. */
  private async reading<T>(digest: Digest, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (hasCode(error, "EIO") || error instanceof ContentNotFoundError) this.parts.suspect(digest);
      throw error;
    }
  }

  private async store(write: Parameters<Metadata["putManifest"]>[1]): Promise<void> {
    const { metadata, quota } = this.parts;
    if (metadata.find(this.name, write.descriptor.digest) !== undefined) {
      await metadata.putManifest(this.name, write);
      return;
    }
    const account = quota.open(this.name);
    account.take(write.bytes.length);
    try {
      await metadata.putManifest(this.name, write);
    } finally {
      account.give(write.bytes.length);
    }
  }
}

async function readManifest(expected: Descriptor, content: Readable): Promise<Uint8Array> {
  if (expected.size > maxManifestBytes) {
    content.destroy();
    throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
  }
  const chunks: Buffer[] = [];
  const verified = pipeline(content, verify(expected), () => undefined);
  for await (const chunk of verified) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
