import type { SQLInputValue } from "node:sqlite";
import type { Clock } from "../../../common/clock.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import { InvalidManifestError } from "../../../common/oci/manifest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import { lockBits } from "../locks/schema.ts";
import { ContentInUseError, ContentLockedError } from "../store.ts";
import type { Statements } from "./statements.ts";

/** Not more repositories are looked through: the config of artifacts may be in every one. */
const maxHolders = 10_000;
/** How old a link becomes before it is renewed: half of the shortest grace period. */
const renewalMs = 30_000;
/** Of a blob `b`. */
const quarantined = "EXISTS (SELECT 1 FROM quarantine q WHERE q.digest = b.digest)";
const locked = lockBits.deleteEnabled | lockBits.writeEnabled;

/** Which blobs there are, and which repository has them. Opens no transaction: whoever changes something does. */
export class BlobTable {
  private readonly statements: Statements;
  private readonly clock: Clock;

  constructor(statements: Statements, clock: Clock) {
    this.statements = statements;
    this.clock = clock;
  }

  /** The size of a blob of the repository; `undefined` also while it is in quarantine. */
  size(repository: RepositoryName, digest: Digest): number | undefined {
    const row = this.linked(repository, digest);
    return row?.quarantined === 0 ? numberOf(row.size) : undefined;
  }

  /** The size of a blob of any repository; `undefined` also while it is in quarantine. */
  knownSize(digest: Digest): number | undefined {
    const row = this.statements.row(
      `SELECT size FROM blobs b WHERE digest = ? AND NOT ${quarantined}`,
      digest,
    );
    return numberOf(row?.size);
  }

  /** Whether `repository` has the blob; absent: whether any repository ever had it. Not while it is in quarantine. */
  has(repository: RepositoryName | undefined, digest: Digest): boolean {
    return (repository === undefined ? this.knownSize(digest) : this.size(repository, digest)) !== undefined;
  }

  /** A repository that has the blob and that `accept` takes. */
  holder(digest: Digest, accept: (repository: RepositoryName) => boolean): RepositoryName | undefined {
    const rows = this.statements.eachRow(
      `SELECT r.name FROM blob_links l JOIN repositories r ON r.id = l.repository
       WHERE l.blob = (SELECT id FROM blobs WHERE digest = ?) LIMIT ${maxHolders}`,
      digest,
    );
    for (const { name } of rows) if (accept(name as RepositoryName)) return name as RepositoryName;
    return undefined;
  }

  /** Makes a blob known. No effect if it is. */
  add(digest: Digest, size: number): void {
    this.statements.run(
      "INSERT INTO blobs (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING",
      digest,
      size,
    );
  }

  /** Gives a blob that is known to the repository in row `repository`, as of now. */
  link(repository: SQLInputValue, digest: Digest): void {
    this.statements.run(
      `INSERT INTO blob_links (repository, blob, linked_at) SELECT ?, id, ? FROM blobs WHERE digest = ?
       ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at`,
      repository,
      this.clock.now().toMillis(),
      digest,
    );
  }

  /** The link of a blob of the repository, if it is old enough to be renewed. */
  ageing(repository: RepositoryName, digest: Digest): Row | undefined {
    return this.statements.row(
      `SELECT l.repository, l.blob FROM blobs b JOIN blob_links l ON l.blob = b.id
       JOIN repositories r ON r.id = l.repository WHERE b.digest = ? AND r.name = ? AND l.linked_at < ? AND NOT ${quarantined}`,
      digest,
      repository,
      this.clock.now().toMillis() - renewalMs,
    );
  }

  /** As `link`, for a link that is there, unless the blob was found damaged meanwhile: this brings no good copy. */
  renew({ repository, blob }: Row): void {
    this.statements.run(
      `UPDATE blob_links SET linked_at = ? WHERE repository = ? AND blob = ?
       AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.id = blob_links.blob AND ${quarantined})`,
      this.clock.now().toMillis(),
      repository,
      blob,
    );
  }

  /** False if the repository does not have it. @throws {ContentInUseError} while a manifest of it needs the blob */
  unlink(repository: RepositoryName, digest: Digest): boolean {
    const blob = this.linked(repository, digest);
    if (blob === undefined) return false;
    if (Number(blob.locks) & locked) throw new ContentLockedError(`repository ${repository} is locked`);
    const user = this.statements.row(
      `SELECT c.digest FROM manifest_blobs mb JOIN manifests m ON m.id = mb.manifest
       JOIN manifest_contents c ON c.id = m.content WHERE mb.blob = ? AND m.repository = ? LIMIT 1`,
      blob.id,
      blob.repository,
    );
    if (user !== undefined) {
      throw new ContentInUseError(
        `manifest ${String(user.digest)} needs this blob: delete the manifest first`,
      );
    }
    this.statements.run("DELETE FROM blob_links WHERE repository = ? AND blob = ?", blob.repository, blob.id);
    return true;
  }

  /**
   * The rows of the blobs that `named` are, in the same order; `undefined` for those that the repository in row `owner`
   * does not have.
   *
   * @throws {InvalidManifestError} if one has another size than `named` says
   */
  find(owner: SQLInputValue, named: readonly Descriptor[]): readonly (number | undefined)[] {
    if (named.length === 0) return [];
    const found = this.statements.row(
      `SELECT json_group_array(CASE WHEN l.blob IS NOT NULL AND NOT ${quarantined} THEN b.id END) AS ids, json_group_array(b.size) AS sizes
       FROM json_each(?) named LEFT JOIN blobs b ON b.digest = named.value
       LEFT JOIN blob_links l ON l.repository = ? AND l.blob = b.id`,
      JSON.stringify(named.map(({ digest }) => digest)),
      owner,
    );
    const ids = JSON.parse(String(found?.ids)) as readonly (number | null)[];
    const sizes = JSON.parse(String(found?.sizes)) as readonly (number | null)[];
    return named.map(({ digest, size }, i) => {
      const id = ids[i] ?? undefined;
      if (id !== undefined && sizes[i] !== size) {
        throw new InvalidManifestError(`${digest} has ${String(sizes[i])} bytes, not ${size}`);
      }
      return id;
    });
  }

  private linked(repository: RepositoryName, digest: Digest): Row | undefined {
    return this.statements.row(
      `SELECT b.id, b.size, l.repository, r.locks, ${quarantined} AS quarantined FROM blobs b JOIN blob_links l ON l.blob = b.id
       JOIN repositories r ON r.id = l.repository WHERE b.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
