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
    return row === undefined ? undefined : { descriptor: descriptorOf(row), bytes: row.bytes as Uint8Array };
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
   * @param owner the row of `repository`
   * @throws {ContentNotFoundError} naming a blob or child that the repository does not have
   * @throws {InvalidManifestError} if the manifest gives a blob another size than it has
   */
  put(repository: RepositoryName, owner: SQLInputValue, write: ManifestWrite): SQLInputValue {
    const blobs = write.manifest.blobs.map((blob) => this.blobs.needed(repository, blob));
    const children = new Map<Digest, "here" | "missing">();
    for (const child of write.manifest.manifests) {
      // An index may name anything: the build cache of BuildKit is one that names layers.
      const blob = this.find(repository, child.digest) === undefined && this.blobOf(repository, child);
      if (blob === false) children.set(child.digest, "here");
      else if (blob !== undefined) blobs.push(blob);
      else if (mayLack(write, child.digest)) children.set(child.digest, "missing");
      else throw new ContentNotFoundError(child.digest);
    }
    for (const layer of write.manifest.elsewhere) {
      const blob = this.blobs.find(repository, layer);
      if (blob === undefined) children.set(layer.digest, "missing");
      else blobs.push(blob);
    }
    const manifest = this.store(owner, write);
    for (const blob of blobs) {
      this.statements.run("INSERT INTO manifest_blobs VALUES (?, ?) ON CONFLICT DO NOTHING", manifest, blob);
    }
    for (const [digest, state] of children) {
      this.statements.run(
        "INSERT INTO manifest_children VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sparse = excluded.sparse",
        manifest,
        digest,
        state === "missing" ? 1 : 0,
      );
    }
    // A child that was left out has come: from now on its index is whole again.
    this.statements.run(
      `UPDATE manifest_children SET sparse = 0 WHERE digest = ? AND manifest IN
       (SELECT id FROM manifests WHERE repository = ?)`,
      write.descriptor.digest,
      owner,
    );
    return manifest;
  }

  /** With its tags; in every index of the repository it is sparse from now on. False if it is not there. */
  delete(repository: RepositoryName, digest: Digest): boolean {
    const row = this.find(repository, digest);
    if (row === undefined) return false;
    this.statements.run(
      `UPDATE manifest_children SET sparse = 1 WHERE digest = ? AND manifest IN
       (SELECT id FROM manifests WHERE repository = ?)`,
      digest,
      row.repository,
    );
    this.statements.run("DELETE FROM manifests WHERE id = ?", row.id);
    this.statements.run(
      `DELETE FROM manifest_contents WHERE digest = ?
       AND NOT EXISTS (SELECT 1 FROM manifests WHERE content = manifest_contents.id)`,
      digest,
    );
    return true;
  }

  /** The row of an entry of an index that is not a manifest, if the repository has it. */
  private blobOf(repository: RepositoryName, child: Descriptor): SQLInputValue | undefined {
    return isManifest(child.mediaType) ? undefined : this.blobs.find(repository, child);
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

function mayLack({ sparse }: ManifestWrite, child: Digest): boolean {
  return sparse === "missing" || sparse.includes(child);
}
