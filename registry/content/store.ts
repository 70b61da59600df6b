import type { Readable } from "node:stream";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";

/** Reads content of one repository by its digest. */
export interface ContentReader {
  exists(target: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /**
   * The stream ends normally only if every byte matched `target`.
   *
   * @throws {ContentNotFoundError}
   */
  fetch(target: Descriptor, signal?: AbortSignal): Promise<Readable>;
}

/** An optional power of a source: the rest of a blob whose beginning is here already. */
export interface RangeReader {
  /**
   * The bytes of `target` from `offset` on. Not verified: whoever puts them behind others checks the whole.
   *
   * @throws {ContentNotFoundError}
   */
  fetchFrom(target: Descriptor, offset: number, signal?: AbortSignal): Promise<Readable>;
}

/** An optional power of a source: what a digest is that nothing here names. */
export interface Describer {
  /** @throws {ContentNotFoundError} */
  describe(digest: Digest, kind: "manifest" | "blob", signal?: AbortSignal): Promise<Descriptor>;
}

/** Adds content to one repository. */
export interface ContentWriter {
  /**
   * All or nothing: until this resolves no reader sees the content, and after a crash no part of it is served.
   * A manifest is taken only when everything it points at is here; `sparse` names children of an index that are
   * left out on purpose. Pushing what is there already is cheap and no error.
   *
   * @throws {DigestMismatchError} if `content` is not `expected`; nothing was stored
   * @throws {ContentNotFoundError} naming a child of the manifest that is missing
   */
  push(expected: Descriptor, content: Readable, options?: PushOptions): Promise<void>;
}

export interface PushOptions {
  readonly sparse?: readonly Digest[];
  readonly signal?: AbortSignal;
}

/** An optional power of a target that collects what nothing refers to. */
export interface PinningWriter {
  /** Keeps `digests` until the function that it returns is called: blobs and manifests that something is about to name. */
  pin(digests: readonly Digest[]): () => void;
}

/** An optional power of a target: content whose transfer goes on where it stopped, also after a restart. */
export interface ResumableWriter {
  /**
   * Begins the transfer of a blob, or goes on with one that was suspended. Waits while somebody else transfers the
   * same bytes into this registry; then, as always when the registry has them already, `offset` is the blob's size.
   */
  ingest(expected: Descriptor, signal?: AbortSignal): Promise<Ingest>;
}

/** One transfer. Ends with `commit` or `suspend`, whatever happens. */
export interface Ingest {
  /** How many bytes are here: the next that are wanted begin there. */
  readonly offset: number;
  /** Adds `content` at `offset`. If it rejects, what came until then stays and counts. */
  write(content: Readable): Promise<void>;
  /**
   * Gives the blob to the repository.
   *
   * @throws {DigestMismatchError} if the bytes are not `expected`: then they are gone, and the next try starts afresh
   */
  commit(): Promise<void>;
  /** Lets the transfer rest, keeping what came. No effect after `commit`. */
  suspend(): Promise<void>;
}

interface TagReader {
  /** @throws {TagNotFoundError} */
  resolve(tag: Tag, signal?: AbortSignal): Promise<Descriptor>;
  /** In the order of the specification: ASCIIbetical. Complete, or it throws: a short listing never looks whole (T19). */
  tags(signal?: AbortSignal): AsyncIterable<Tag>;
}

interface TagWriter {
  /**
   * Points `tag` at `target`, which must already be stored. This is the commit point of a sync.
   *
   * @throws {UnsentTagError} and it stays as clients here left it
   */
  tag(target: Descriptor, tag: Tag, signal?: AbortSignal): Promise<void>;
}

/** A manifest that refers to another, as lists name it: what it is need not be in them. */
export interface ListedReferrer extends Descriptor {
  readonly artifactType?: string;
}

interface ReferrerReader {
  /** The manifests whose `subject` is `subject`. */
  referrers(subject: Digest, signal?: AbortSignal): AsyncIterable<ListedReferrer>;
}

/** One repository that a sync can read from: at a parent, or here. */
export interface SyncSource extends ContentReader, TagReader, ReferrerReader {
  readonly name: RepositoryName;
}

/** One repository that a sync can write to. */
export interface SyncTarget extends SyncSource, ContentWriter, TagWriter {}

/** All repositories of a registry. */
export interface Repositories<T extends SyncSource> {
  open(name: RepositoryName): T;
  /** Names in ASCIIbetical order. Complete, or it throws. */
  list(signal?: AbortSignal): AsyncIterable<RepositoryName>;
}

/** What was asked for by digest is not in the repository. */
export class ContentNotFoundError extends Error {
  override readonly name = "ContentNotFoundError";
  readonly digest: Digest;

  constructor(digest: Digest) {
    super(`${digest} is not in the repository`);
    this.digest = digest;
  }
}

/** What should be deleted is part of something that is still there. Its message says what to delete first. */
export class ContentInUseError extends Error {
  override readonly name = "ContentInUseError";
}

/** It is locked against what somebody wants to do with it, until its attributes are changed. Names what is locked. */
export class ContentLockedError extends Error {
  override readonly name = "ContentLockedError";
}

/** What a client did with a tag here is still to go up to the parent: until then the parent's does not replace it. */
export class UnsentTagError extends Error {
  override readonly name = "UnsentTagError";

  constructor(tag: string) {
    super(`the change of tag ${tag} waits to go up to the parent`);
  }
}

/** The repository has no such tag. */
export class TagNotFoundError extends Error {
  override readonly name = "TagNotFoundError";
  readonly tag: string;

  constructor(tag: string) {
    super(`no tag ${tag} in the repository`);
    this.tag = tag;
  }
}
