import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { PageRequest } from "../metadata.ts";

/** What may be done with a repository, a tag or a manifest: ACR's `changeableAttributes`. */
export interface Attributes {
  readonly deleteEnabled: boolean;
  /** False forbids to delete as well, as in ACR. */
  readonly writeEnabled: boolean;
  readonly listEnabled: boolean;
  readonly readEnabled: boolean;
}

export const attributeNames = ["deleteEnabled", "writeEnabled", "listEnabled", "readEnabled"] as const;

/** What can be locked. */
export type LockTarget =
  | { readonly kind: "repository" }
  | { readonly kind: "tag"; readonly tag: Tag }
  | { readonly kind: "manifest"; readonly digest: Digest };

/** What is told of a lock's target. Times are milliseconds since 1970. */
export interface LockedItem {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly attributes: Attributes;
  /** What a tag points at, or a manifest is. */
  readonly digest?: Digest;
  readonly manifest?: ManifestFacts;
  readonly counts?: { readonly manifests: number; readonly tags: number };
}

/** A tag, as a listing tells it. */
export interface TagItem extends LockedItem {
  readonly tag: Tag;
}

export interface ManifestFacts {
  readonly mediaType: string;
  /** Bytes of the manifest and of the blobs that it names. */
  readonly imageSize: number;
  /** At most the first 1,000. */
  readonly tags: readonly Tag[];
}

/**
 * Who may change or see what is stored, whoever it is: a client, the sync, retention.
 *
 * # Guarantees
 * - What may not be written or deleted is not: the database itself refuses, to every writer ({@link ContentLockedError}).
 * - What may not be listed is in no listing of the store.
 * # Caveats
 * What may not be read is still there for the registry itself. Whoever answers a client asks `demandRead`.
 */
export interface Locks {
  /** `undefined` if it is not there. */
  describe(repository: RepositoryName, target: LockTarget): Promise<LockedItem | undefined>;
  /** A page of the tags that may be listed, in ASCIIbetical order, as `describe` tells of them. */
  tagPage(repository: RepositoryName, page: PageRequest): Promise<readonly TagItem[]>;
  /** The same of the manifests, in the order of their digests. Others go on while it looks. */
  manifestPage(repository: RepositoryName, page: PageRequest): Promise<readonly LockedItem[]>;
  /**
   * Changes those attributes that are given. False if the target is not there.
   *
   * @throws {ContentLockedError} for a tag or manifest of a repository that may not be written, as in ACR
   */
  change(repository: RepositoryName, target: LockTarget, attributes: Partial<Attributes>): Promise<boolean>;
  /** Costs nothing as long as nothing at all is locked against reading. @throws {ContentLockedError} */
  demandRead(repository: RepositoryName, target: LockTarget): void;
  /** Whether anything in the repository may be read. */
  allowsReading(repository: RepositoryName): boolean;
  /** Before what the repository has is listed. @throws {ContentLockedError} */
  demandList(repository: RepositoryName): void;
  /** Before bytes are taken that could not be kept. @throws {ContentLockedError} */
  demandWrite(repository: RepositoryName): void;
}
