import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Pins } from "../holds.ts";

export interface GarbageRepository {
  readonly id: number;
  readonly name: RepositoryName;
  /** Nothing of it may be deleted. */
  readonly locked: boolean;
}

/** A tag, as retention sees it. Times are milliseconds since 1970. */
export interface GarbageTag {
  readonly name: string;
  /** The row of its manifest. */
  readonly manifest: number;
  readonly digest: Digest;
  readonly pushedAt: number;
  /** Of what it points at and of the manifests in that. */
  readonly pulledAt: number;
  readonly locked: boolean;
  /** What it points at has a subject here: it lives as long as that. */
  readonly attached: boolean;
}

/** A manifest that nothing keeps: no tag (but those that are about what is gone), no index, no subject. */
export interface IdleManifest {
  readonly id: number;
  readonly digest: Digest;
  readonly pushedAt: number;
  readonly pulledAt: number;
  /** Since when that is known; 0: it goes with the image that it was part of. */
  readonly idleSince: number | undefined;
}

/** The manifests of a page; the next begins after `last`, which is absent when this was the end. */
export interface IdlePage {
  readonly idle: readonly IdleManifest[];
  readonly last: number | undefined;
}

export interface GarbageLink {
  readonly blob: number;
  readonly digest: Digest;
  readonly size: number;
  readonly linkedAt: number;
}

export interface GarbageBlob {
  readonly id: number;
  readonly digest: Digest;
  readonly size: number;
  /** No repository has it. */
  readonly free: boolean;
}

/** A manifest (by the order of pages) and the row of a blob that it needs. */
export interface BlobUse {
  readonly manifest: number;
  readonly blob: number;
}

export interface ManifestBytes {
  readonly position: number;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `undefined` if it is gone. @throws what the database says if they cannot be read */
  readonly read: () => Uint8Array | undefined;
}

/** What went, and how many bytes that freed. */
export interface Removed<T> {
  readonly item: T;
  readonly bytes: number;
}

export interface Pull {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly at: number;
}

/*
 * What all of the following promise:
 * - Reading is a page at a time, in a few milliseconds, however much there is.
 * - Each removal looks again, in its own transaction: what has come into use since it was found stays.
 * - What is removed is gone for good once the promise resolves: then its files may go.
 */

/** Repositories, tags and manifests, as retention sees them. */
export interface ImageGarbage {
  repositories(after: number): readonly GarbageRepository[];
  /** False if there is something in it, or it is locked. */
  removeRepository(repository: number): Promise<boolean>;

  tags(repository: number, after: string): readonly GarbageTag[];
  /** Those that point where they did. A manifest that loses its last tag goes with the next `condemned`. */
  removeTags(repository: number, tags: readonly GarbageTag[]): Promise<readonly GarbageTag[]>;

  /** A page of all manifests: notes since when they are idle, and takes that back where they are not. */
  noteIdle(repository: number, after: number, now: number): Promise<IdlePage>;
  /** Whether any goes with an image that is gone, or because all of its tags were pruned. */
  anyCondemned(repository: number): boolean;
  /** A page of those that go with an image that is gone. */
  condemned(repository: number, after: number): Promise<IdlePage>;
  /** With the tags that are about them. What was part of them, or about them, goes with the next `condemned`. */
  removeManifests(
    repository: number,
    manifests: readonly IdleManifest[],
    pins: Pins,
  ): Promise<readonly Removed<IdleManifest>[]>;
}

/** Blobs, as what needs them sees them. */
export interface BlobGarbage {
  /** Changes whenever a manifest comes. */
  additions(repository: number): number;
  manifests(repository: number, after: number): readonly ManifestBytes[];
  links(repository: number, after: number): readonly GarbageLink[];
  /** Which blobs the manifests of the repository need; the page begins after `use`. */
  uses(repository: number, use: BlobUse): readonly BlobUse[];
  /** Those made before `cutoff`. @param additions of the repository before anybody looked what is needed */
  removeLinks(
    repository: number,
    links: readonly GarbageLink[],
    cutoff: number,
    additions: number,
    pins: Pins,
  ): Promise<readonly GarbageLink[]>;

  blobs(after: number): readonly GarbageBlob[];
  removeBlobs(blobs: readonly GarbageBlob[], pins: Pins): Promise<readonly GarbageBlob[]>;
  /** Which of `digests` no row knows, for good. */
  unknown(digests: readonly Digest[]): Promise<readonly Digest[]>;
}

/** What is kept from one collection to the next. */
export interface CollectionRecords {
  notePulls(pulls: readonly Pull[]): Promise<void>;
  /** Since when pulls are noted, in milliseconds since 1970. */
  pullsSince(): number;
  /** The last collection: when it began, and what it reported. */
  last(): { readonly begunAt: number; readonly report: string } | undefined;
  keep(begunAt: number, report: string): Promise<void>;
}
