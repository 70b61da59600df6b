import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import type { Manifest } from "../../common/oci/manifest.ts";
import type { NameRange, RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { Condition } from "./condition.ts";

export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A descriptor as the referrers API lists it. */
export interface Referrer extends Descriptor {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The part of a listing that comes after the name `after`. */
export interface PageRequest {
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface ManifestWrite {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** Children of an index that are left out on purpose; or that whatever is missing now is. */
  readonly sparse: readonly Digest[] | "missing";
  readonly tags: readonly Tag[];
  readonly condition?: Condition;
  /** A client wrote it, and the parent is to have it, too. */
  readonly byClient?: true;
}

/**
 * Which repository has what, under which names.
 *
 * # Guarantees
 * - What is locked stays as it is: a change of it throws {@link ContentLockedError}.
 * - Every method that changes something is one transaction: seen whole or not at all, and durable once it resolves.
 * - A manifest is here only if its repository has every blob it names and every child that is not marked as sparse.
 * - A tag names a manifest of its repository.
 */
export interface Metadata {
  /** The size of a blob of the repository. Answers at once, as every pull asks it. */
  blobSize(repository: RepositoryName, digest: Digest): number | undefined;
  /** What the repository has under a tag or digest. Answers at once, too. */
  find(repository: RepositoryName, reference: Tag | Digest): StoredManifest | undefined;
  /** The size of a blob of any repository. For decisions about storage, never to tell a client. */
  knownSize(digest: Digest): Promise<number | undefined>;
  /** A repository that has the blob and that `accept` takes. `accept` must not ask this again. */
  holder(
    digest: Digest,
    accept: (repository: RepositoryName) => boolean,
  ): Promise<RepositoryName | undefined>;
  linkBlob(repository: RepositoryName, digest: Digest, size: number): Promise<void>;
  /** Gives a blob of `from` (absent: of any repository) to `repository`; false if there it is not. */
  mountBlob(repository: RepositoryName, digest: Digest, from?: RepositoryName): Promise<boolean>;
  /** Gives a blob of the repository the age of one that comes now. Precise to half a minute, so that it rarely writes. */
  renewBlob(repository: RepositoryName, digest: Digest): Promise<void>;
  /** False if the repository does not have it. @throws {ContentInUseError} */
  unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean>;

  manifest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined>;
  describe(repository: RepositoryName, digest: Digest): Promise<Descriptor | undefined>;
  /** Up to ten manifests of the repository that have `digest` among their children, sparse or not. */
  indexesOf(repository: RepositoryName, digest: Digest): Promise<readonly StoredManifest[]>;
  /**
   * @throws {ContentNotFoundError} naming a blob or child that the repository does not have
   * @throws {InvalidManifestError} if the manifest gives a blob another size than it has
   * @throws {ConditionFailedError}
   */
  putManifest(repository: RepositoryName, write: ManifestWrite): Promise<void>;
  /**
   * For a client. Also removes its tags, and marks it as sparse in every index of the repository. False if it is not there. Where it has
   * thousands of tags, they go in several steps, before it.
   */
  deleteManifest(repository: RepositoryName, digest: Digest): Promise<boolean>;
  referrers(
    repository: RepositoryName,
    subject: Digest,
    page: PageRequest,
    artifactType?: string,
  ): Promise<readonly Referrer[]>;

  resolve(repository: RepositoryName, tag: Tag): Promise<Descriptor | undefined>;
  /**
   * Points `tag` at what the parent has under it.
   *
   * @throws {ContentNotFoundError}
   * @throws {UnsentTagError} while what a client did with it here waits to go up
   */
  tag(repository: RepositoryName, digest: Digest, tag: Tag): Promise<void>;
  /** For a client. @throws {ConditionFailedError} */
  untag(repository: RepositoryName, tag: Tag, holds?: Condition["holds"]): Promise<boolean>;
  /** Those that may be listed. */
  tags(repository: RepositoryName, page: PageRequest): Promise<readonly Tag[]>;

  /** Whether the repository ever got content. */
  hasRepository(repository: RepositoryName): Promise<boolean>;
  /** Repositories that have a manifest and may be listed, in ASCIIbetical order. */
  repositories(page: PageRequest, within?: NameRange): Promise<readonly RepositoryName[]>;
  /** Resolves when everything that can be read now is durable. */
  durable(): Promise<void>;
  /** Bytes of all blobs and manifests, each counted once. */
  usage(): Promise<number>;
  /** The same at this very moment, of all or of one repository: a change that is not durable yet counts. */
  usageNow(repository?: RepositoryName): number;
}
