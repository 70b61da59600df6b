import { addAbortSignal, pipeline, Readable } from "node:stream";
import { verify, type Descriptor, type Digest } from "../../common/oci/digest.ts";
import type { Manifest } from "../../common/oci/manifest.ts";
import { asManifest, ofManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { BlobReader } from "./blob-reader.ts";
import type { Blobs, ByteRange, OpenBlob } from "./blobs.ts";
import type { PullTimes } from "./collect/pulls.ts";
import type { Condition } from "./condition.ts";
import type { Holds } from "./holds.ts";
import { takeOver } from "./incoming.ts";
import type { Ingests } from "./ingests.ts";
import type { Intake } from "./intake.ts";
import type { Locks } from "./locks/locks.ts";
import type { ManifestIntake, ManifestPut } from "./manifest-intake.ts";
import type { Metadata, PageRequest, Referrer, StoredManifest } from "./metadata.ts";
import { pages } from "./pages.ts";
import { isStorageFull, type Quota } from "./quota.ts";
import { ContentNotFoundError, TagNotFoundError } from "./store.ts";
import type { Ingest, PinningWriter, PushOptions, ResumableWriter, SyncTarget } from "./store.ts";

/** What repositories are made of; shared by all of one registry. */
export interface RepositoryParts {
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly reader: BlobReader;
  readonly intake: Intake;
  readonly ingests: Ingests;
  readonly manifests: ManifestIntake;
  readonly quota: Quota;
  readonly locks: Pick<Locks, "demandWrite">;
  readonly holds: Pick<Holds, "pin">;
  readonly pulls: Pick<PullTimes, "note">;
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
    if (ofManifest(target)) return (await metadata.describe(this.name, target.digest)) !== undefined;
    return (await this.blobSize(target.digest)) !== undefined;
  }

  async fetch(target: Descriptor, signal?: AbortSignal): Promise<Readable> {
    const source = ofManifest(target)
      ? Readable.from([(await this.manifest(target.digest)).bytes])
      : await this.readBlob(target.digest);
    const verified = pipeline(source, verify(target), () => undefined);
    return signal === undefined ? verified : addAbortSignal(signal, verified);
  }

  async push(expected: Descriptor, content: Readable, options: PushOptions = {}): Promise<void> {
    takeOver(content, options.signal);
    if (await this.exists(expected)) {
      content.destroy();
      if (!ofManifest(expected)) await this.relyOnBlob(expected.digest);
      // Somebody else may just be storing it: it is theirs to finish, and ours to be sure of.
      await this.parts.metadata.durable();
      return;
    }
    this.parts.locks.demandWrite(this.name);
    if (!ofManifest(expected)) {
      await this.parts.intake.push(this.name, expected, content);
      return;
    }
    await this.parts.manifests.push(this.name, expected, content, options.sparse ?? []);
  }

  async ingest(expected: Descriptor, signal?: AbortSignal): Promise<Ingest> {
    this.parts.locks.demandWrite(this.name);
    return this.parts.ingests.begin(this.name, expected, signal);
  }

  /** The size of a blob, or `undefined` if the repository does not have it. */
  async blobSize(digest: Digest): Promise<number | undefined> {
    const size = this.parts.metadata.blobSize(this.name, digest);
    return size === undefined || (await this.parts.reader.whole(digest, size)) ? size : undefined;
  }

  /** Not verified again: a client checks what it gets. @throws {ContentNotFoundError} */
  async readBlob(digest: Digest, range?: ByteRange): Promise<Readable> {
    if (this.parts.metadata.blobSize(this.name, digest) === undefined) throw new ContentNotFoundError(digest);
    return this.parts.reader.read(digest, range);
  }

  /** A small blob that is at hand; if there is none it may be here nevertheless. */
  recentBlob(digest: Digest): Uint8Array | undefined {
    const bytes = this.parts.blobs.recent(digest);
    return bytes?.length === this.parts.metadata.blobSize(this.name, digest) ? bytes : undefined;
  }

  /** A blob that a client wants to have: its bytes if it is small, else open, to be closed by the caller. @throws {ContentNotFoundError} */
  async openBlob(digest: Digest): Promise<Uint8Array | OpenBlob> {
    const size = this.parts.metadata.blobSize(this.name, digest);
    if (size === undefined) throw new ContentNotFoundError(digest);
    return this.parts.reader.open(digest, size);
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
  putManifest(
    bytes: Uint8Array,
    mediaType: string,
    put: ManifestPut,
  ): Promise<StoredManifest & { manifest: Manifest }> {
    return this.parts.manifests.put(this.name, bytes, mediaType, put);
  }

  /** A client asked for this manifest: retention may go by that. Costs no write. */
  pulled(digest: Digest): void {
    this.parts.pulls.note(this.name, digest);
  }

  /** Keeps content until the function that it returns is called, though no manifest or tag may name it yet. */
  pin(digests: readonly Digest[]): () => void {
    return this.parts.holds.pin(digests);
  }

  /** The manifest that a tag points at, or that has a digest, if it is here. */
  find(reference: Tag | Digest): StoredManifest | undefined {
    return this.parts.metadata.find(this.name, reference);
  }

  /** Some indexes of the repository that name `digest` as a manifest of theirs, whether it is here or was left out. */
  indexesOf(digest: Digest): Promise<readonly StoredManifest[]> {
    return this.parts.metadata.indexesOf(this.name, digest);
  }

  /** With its tags. @throws {ContentNotFoundError} */
  async deleteManifest(digest: Digest): Promise<void> {
    const deleted = await this.parts.metadata.deleteManifest(this.name, digest);
    if (!deleted) throw new ContentNotFoundError(digest);
  }

  async resolve(tag: Tag): Promise<Descriptor> {
    const found = await this.parts.metadata.resolve(this.name, tag);
    if (found === undefined) throw new TagNotFoundError(tag);
    return asManifest(found);
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

  async *referrers(subject: Digest, signal?: AbortSignal): AsyncGenerator<Referrer> {
    const all = pages(
      (page) => this.referrerPage(subject, page),
      ({ digest }) => digest,
      signal,
    );
    for await (const referrer of all) yield asManifest(referrer);
  }

  /** Whether the repository has, or had, any content. */
  known(): Promise<boolean> {
    return this.parts.metadata.hasRepository(this.name);
  }
}
