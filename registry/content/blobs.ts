import type { Readable } from "node:stream";
import type { Descriptor, Digest, DigestAlgorithm } from "../../common/oci/digest.ts";

/** Bytes `start` to `end`, both included, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Up to this size a blob is read at once, and kept at hand for a while: configs, signatures, small layers. */
export const smallBlobBytes = 64 * 1024;

/** A blob that is open for reading. Removing it takes nothing from those who have it open. */
export interface OpenBlob {
  readonly size: number;
  /** Puts what begins at `position` into `into`. @returns how many bytes came: fewer than fit, perhaps, and 0 at the end */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes by their digest, whichever repositories they belong to. What is here is complete and was verified. */
export interface Blobs {
  /** Its size in bytes, or `undefined` if it is not here. */
  size(digest: Digest): Promise<number | undefined>;
  /**
   * Unverified: the bytes were checked when they came in.
   *
   * @throws {ContentNotFoundError}
   */
  read(digest: Digest, range?: ByteRange): Promise<Readable>;
  /** @throws {ContentNotFoundError} */
  open(digest: Digest): Promise<OpenBlob>;
  /** The bytes of a blob that is known to be small. @throws {ContentNotFoundError} */
  readSmall(digest: Digest): Promise<Uint8Array>;
  /** The bytes of a small blob, if they are at hand; if not, it may be here nevertheless. Nobody may change them. */
  recent(digest: Digest): Uint8Array | undefined;
  /** Begins what is to come in under `key`, or goes on where it stopped, also after a restart. */
  stage(key: string, algorithm?: DigestAlgorithm): Promise<StagedBlob>;
  /** What is coming in, and what was left behind. */
  staged(): Promise<readonly StagedEntry[]>;
  /** Everything that is here, in portions. What comes or goes meanwhile may be seen or not. */
  list(): AsyncIterable<readonly Digest[]>;
  /** Its size, and when its bytes came, in milliseconds since 1970; or `undefined` if it is not here. */
  stat(digest: Digest): Promise<{ readonly size: number; readonly cameAt: number } | undefined>;
  /** No effect if it is not here. Who has begun to read it reads on. Not durable: after power loss it may be here again. */
  remove(digest: Digest): Promise<void>;
  /**
   * Whether it is here and its bytes are what `expected` claims; then it survives power loss. Reads all of it: for bytes of which
   * nothing but their name says that they are whole, such as after the metadata was lost.
   *
   * @throws the signal's reason
   */
  vouch(expected: Pick<Descriptor, "digest" | "size">, signal?: AbortSignal): Promise<boolean>;
  /** From now on it is not here; its bytes are kept apart. No effect if it is not here. */
  putApart(digest: Digest): Promise<void>;
  /** What is kept apart. */
  apart(): Promise<readonly Digest[]>;
  /** No effect if it is not kept apart. */
  dropApart(digest: Digest): Promise<void>;
}

export interface StagedEntry {
  readonly key: string;
  readonly size: number;
  /** When bytes came last, in milliseconds since 1970. */
  readonly touchedAt: number;
}

/** Bytes on their way in: no reader sees them until they are published. One user at a time. */
export interface StagedBlob {
  readonly key: string;
  /** How many bytes are staged. */
  readonly offset: number;
  /** Adds to the end. If it rejects, what came until then stays, and `offset` counts it. */
  append(content: AsyncIterable<Uint8Array>): Promise<void>;
  /** What is staged, to be closed by the caller; what comes later can be read too, and after `publish`. */
  open(): Promise<OpenBlob>;
  /** The digest of what is staged. */
  digest(algorithm: DigestAlgorithm): Promise<Digest>;
  /**
   * Makes it readable as `digest`, all or nothing, and durable.
   *
   * @throws {DigestMismatchError}
   */
  publish(digest: Digest): Promise<void>;
  discard(): Promise<void>;
}
