import type { SQLInputValue } from "node:sqlite";
import type { Clock } from "../../../common/clock.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import { isManifest } from "../../../common/oci/mediatype.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import type { ManifestWrite, StoredManifest } from "../metadata.ts";
import { ContentNotFoundError } from "../store.ts";
import type { BlobTable } from "./blobs.ts";
import { descriptorOf } from "./descriptor.ts";
import type { Statements } from "./statements.ts";

/** Manifests, and what each of them names. Opens no transaction: whoever changes something does. */
export class ManifestTable {
  private readonly statements: Statements;
  private readonly blobs: BlobTable;
  private readonly clock: Clock;

  constructor(statements: Statements, blobs: BlobTable, clock: Clock) {
    this.statements = statements;
    this.blobs = blobs;
    this.clock = clock;
  }

  read(repository: RepositoryName, digest: Digest): StoredManifest | undefined {
    const row = this.statements.row(
      `SELECT c.digest, c.size, c.bytes, m.media_type FROM manifest_contents c JOIN manifests m ON m.content = c.id
       JOIN repositories r ON r.id = m.repository WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
    return row === undefined ? undefined : storedOf(row);
  }

  /** Up to ten manifests of the repository that have `digest` among their children. */
  indexesOf(repository: RepositoryName, digest: Digest): readonly StoredManifest[] {
    const rows = this.statements.rows(
      `SELECT c.digest, c.size, c.bytes, m.media_type FROM manifest_children k JOIN manifests m ON m.id = k.manifest
       JOIN manifest_contents c ON c.id = m.content JOIN repositories r ON r.id = m.repository
       WHERE k.digest = ? AND r.name = ? LIMIT 10`,
      digest,
      repository,
    );
    return rows.map(storedOf);
  }

  describe(repository: RepositoryName, digest: Digest): Descriptor | undefined {
    const row = this.find(repository, digest);
    return row === undefined ? undefined : descriptorOf(row);
  }

  /** The row of a manifest, with that of its repository. @throws {ContentNotFoundError} */
  needed(repository: RepositoryName, digest: Digest): Row {
    const row = this.find(repository, digest);
    if (row === undefined) throw new ContentNotFoundError(digest);
    return row;
  }

  /**
   * The row of the manifest that it stores, but for its tags.
   *
   * @param owner the row of its repository
   * @throws {ContentNotFoundError} naming a blob or child that the repository does not have
   * @throws {InvalidManifestError} if the manifest gives a blob another size than it has
   */
  put(owner: SQLInputValue, write: ManifestWrite): SQLInputValue {
    const { blobs, here, missing } = this.namesOf(owner, write);
    const manifest = this.store(owner, write);
    this.statements.run(
      "INSERT INTO manifest_blobs SELECT ?, value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
      manifest,
      JSON.stringify(blobs),
    );
    for (const { sparse, digests } of [
      { sparse: 0, digests: here },
      { sparse: 1, digests: missing },
    ]) {
      this.statements.run(
        `INSERT INTO manifest_children SELECT ?, value, ? FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET sparse = excluded.sparse`,
        manifest,
        sparse,
        JSON.stringify(digests),
      );
    }
    // A child that was left out has come: from now on its index is whole again.
    this.markChild(owner, write.descriptor.digest, 0);
    return manifest;
  }

  /** With its tags; in every index of the repository it is sparse from now on. False if it is not there. */
  delete(repository: RepositoryName, digest: Digest): boolean {
    const row = this.find(repository, digest);
    if (row === undefined) return false;
    this.markChild(row.repository, digest, 1);
    this.statements.run("DELETE FROM manifests WHERE id = ?", row.id);
    this.statements.run(
      `DELETE FROM manifest_contents WHERE digest = ?
       AND NOT EXISTS (SELECT 1 FROM manifests WHERE content = manifest_contents.id)`,
      digest,
    );
    return true;
  }

  /** @throws {ContentNotFoundError} @throws {InvalidManifestError} */
  private namesOf(owner: SQLInputValue, { manifest, sparse }: ManifestWrite): Names {
    const isHere = this.among(owner, manifest.manifests);
    const others = manifest.manifests.filter((_, i) => isHere[i] !== 1);
    // An index may name anything: the build cache of BuildKit is one that names layers.
    const oddities = others.filter(({ mediaType }) => !isManifest(mediaType));
    const wanted = [...manifest.blobs, ...oddities, ...manifest.elsewhere];
    const rows = this.blobs.find(owner, wanted);
    const missing = [
      ...others.filter(({ mediaType }) => isManifest(mediaType)),
      ...wanted.filter((_, i) => rows[i] === undefined),
    ].map(digestOf);
    const needed = new Set(manifest.blobs.map(digestOf));
    const mayLack = new Set([
      ...manifest.elsewhere.map(digestOf),
      ...(sparse === "missing" ? others.map(digestOf) : sparse),
    ]);
    const lacking = missing.find((digest) => needed.has(digest) || !mayLack.has(digest));
    if (lacking !== undefined) throw new ContentNotFoundError(lacking);
    return {
      blobs: rows.filter((row) => row !== undefined),
      here: manifest.manifests.filter((_, i) => isHere[i] === 1).map(digestOf),
      missing,
    };
  }

  /** For each of `named` 1 if it is a manifest of the repository in row `owner`, else 0. */
  private among(owner: SQLInputValue, named: readonly Descriptor[]): readonly (0 | 1)[] {
    if (named.length === 0) return [];
    const found = this.statements.row(
      `SELECT json_group_array(m.id IS NOT NULL) AS here FROM json_each(?) named
       LEFT JOIN manifest_contents c ON c.digest = named.value
       LEFT JOIN manifests m ON m.repository = ? AND m.content = c.id`,
      JSON.stringify(named.map(digestOf)),
      owner,
    );
    return JSON.parse(String(found?.here)) as readonly (0 | 1)[];
  }

  /** Says in every index of the repository in row `owner` that names `digest` whether it is missing. */
  private markChild(owner: SQLInputValue | undefined, digest: Digest, sparse: 0 | 1): void {
    // Not `manifest IN (SELECT …)`: that would read all manifests of the repository.
    this.statements.run(
      `UPDATE manifest_children SET sparse = ? WHERE digest = ? AND EXISTS
       (SELECT 1 FROM manifests m WHERE m.id = manifest_children.manifest AND m.repository = ?)`,
      sparse,
      digest,
      owner,
    );
  }

  private find(repository: RepositoryName, digest: Digest): Row | undefined {
    return this.statements.row(
      `SELECT m.id, m.repository, m.media_type, c.digest, c.size FROM manifest_contents c
       JOIN manifests m ON m.content = c.id JOIN repositories r ON r.id = m.repository
       WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
  }

  private store(owner: SQLInputValue, { descriptor, bytes, manifest }: ManifestWrite): SQLInputValue {
    const { digest, size, mediaType } = descriptor;
    this.statements.run(
      "INSERT INTO manifest_contents (digest, size, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      digest,
      size,
      bytes,
    );
    const annotations =
      Object.keys(manifest.annotations).length === 0 ? null : JSON.stringify(manifest.annotations);
    const row = this.statements.row(
      `INSERT INTO manifests (repository, content, media_type, subject, artifact_type, annotations, pushed_at)
       SELECT ?, id, ?, ?, ?, ?, ? FROM manifest_contents WHERE digest = ?
       ON CONFLICT DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
         pushed_at = excluded.pushed_at
       RETURNING id`,
      owner,
      mediaType,
      manifest.subject,
      manifest.artifactType,
      annotations,
      this.clock.now().toMillis(),
      digest,
    );
    return row?.id ?? null;
  }
}

/** What a manifest names. */
interface Names {
  /** Rows of blobs of the repository. */
  readonly blobs: readonly number[];
  /** Manifests of the repository. */
  readonly here: readonly Digest[];
  /** What the repository lacks, and may lack. */
  readonly missing: readonly Digest[];
}

function storedOf(row: Row): StoredManifest {
  return { descriptor: descriptorOf(row), bytes: row.bytes as Uint8Array };
}

function digestOf({ digest }: Descriptor): Digest {
  return digest;
}
