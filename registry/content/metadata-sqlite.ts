import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { isManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import { openDatabase, transaction, type Row } from "./database.ts";
import type { ManifestWrite, Metadata, PageRequest, Referrer, StoredManifest } from "./metadata.ts";
import { migrations } from "./schema.ts";
import { ContentInUseError, ContentNotFoundError } from "./store.ts";

/** The largest list of referrers that is read at once, in characters of what their makers wrote (S03). */
const maxReferrerText = 2 * 1024 * 1024;

/** Metadata in one SQLite database. */
export class SqliteMetadata implements Metadata {
  private readonly database: DatabaseSync;
  private readonly clock: Clock;
  private readonly statements = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /** @param path of the database file, or `:memory:` */
  static open(path: string, clock: Clock): SqliteMetadata {
    return new SqliteMetadata(openDatabase(path, migrations, clock), clock);
  }

  async blobSize(repository: RepositoryName, digest: Digest): Promise<number | undefined> {
    return numberOf(this.linkedBlob(repository, digest)?.size);
  }

  async knownSize(digest: Digest): Promise<number | undefined> {
    return numberOf(this.get("SELECT size FROM blobs WHERE digest = ?", digest)?.size);
  }

  async linkBlob(repository: RepositoryName, digest: Digest, size: number): Promise<void> {
    this.change(() => {
      this.run("INSERT INTO blobs (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING", digest, size);
      this.link(this.ensureRepository(repository), digest);
    });
  }

  async mountBlob(repository: RepositoryName, digest: Digest, from?: RepositoryName): Promise<boolean> {
    return this.change(() => {
      const there =
        from === undefined
          ? this.get("SELECT id FROM blobs WHERE digest = ?", digest)
          : this.linkedBlob(from, digest);
      if (there !== undefined) this.link(this.ensureRepository(repository), digest);
      return there !== undefined;
    });
  }

  async unlinkBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.change(() => {
      const blob = this.linkedBlob(repository, digest);
      if (blob === undefined) return false;
      const user = this.get(
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
      this.run("DELETE FROM blob_links WHERE repository = ? AND blob = ?", blob.repository, blob.id);
      return true;
    });
  }

  async manifest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined> {
    const row = this.get(
      `SELECT c.digest, c.size, c.bytes, m.media_type FROM manifest_contents c JOIN manifests m ON m.content = c.id
       JOIN repositories r ON r.id = m.repository WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
    return row === undefined ? undefined : { descriptor: descriptorOf(row), bytes: row.bytes as Uint8Array };
  }

  async describe(repository: RepositoryName, digest: Digest): Promise<Descriptor | undefined> {
    const row = this.manifestRow(repository, digest);
    return row === undefined ? undefined : descriptorOf(row);
  }

  async putManifest(repository: RepositoryName, write: ManifestWrite): Promise<void> {
    this.change(() => {
      const owner = this.ensureRepository(repository);
      const wanted = write.manifest.manifests.filter(({ digest }) => !write.sparse.includes(digest));
      for (const child of wanted.filter(isChildManifest)) this.neededManifest(repository, child.digest);
      // An index may name anything: the build cache of BuildKit is one that names layers.
      const others = wanted.filter((child) => !isChildManifest(child));
      const blobs = [...write.manifest.blobs, ...others].map((blob) => this.neededBlob(repository, blob));
      const manifest = this.storeManifest(owner, write);
      for (const blob of blobs) {
        this.run("INSERT INTO manifest_blobs VALUES (?, ?) ON CONFLICT DO NOTHING", manifest, blob);
      }
      for (const { digest } of write.manifest.manifests.filter(isChildManifest)) {
        this.run(
          "INSERT INTO manifest_children VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sparse = excluded.sparse",
          manifest,
          digest,
          this.manifestRow(repository, digest) === undefined ? 1 : 0,
        );
      }
      // A child that was left out has come: from now on its index is whole again.
      this.run(
        `UPDATE manifest_children SET sparse = 0 WHERE digest = ? AND manifest IN
         (SELECT id FROM manifests WHERE repository = ?)`,
        write.descriptor.digest,
        owner,
      );
      for (const tag of write.tags) this.point(owner, tag, manifest);
    });
  }

  async deleteManifest(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.change(() => {
      const row = this.manifestRow(repository, digest);
      if (row === undefined) return false;
      this.run(
        `UPDATE manifest_children SET sparse = 1 WHERE digest = ? AND manifest IN
         (SELECT id FROM manifests WHERE repository = ?)`,
        digest,
        row.repository,
      );
      this.run("DELETE FROM manifests WHERE id = ?", row.id);
      this.run(
        `DELETE FROM manifest_contents WHERE digest = ?
         AND NOT EXISTS (SELECT 1 FROM manifests WHERE content = manifest_contents.id)`,
        digest,
      );
      return true;
    });
  }

  async referrers(
    repository: RepositoryName,
    subject: Digest,
    page: PageRequest,
    artifactType?: string,
  ): Promise<readonly Referrer[]> {
    const rows = this.statement(
      `SELECT c.digest, c.size, m.media_type, m.artifact_type, m.annotations FROM manifests m
       JOIN repositories r ON r.id = m.repository JOIN manifest_contents c ON c.id = m.content
       WHERE r.name = ? AND m.subject = ? AND c.digest > ? AND (? IS NULL OR m.artifact_type = ?)
       ORDER BY c.digest LIMIT ?`,
    ).iterate(repository, subject, page.after ?? "", artifactType ?? null, artifactType ?? null, page.limit);
    const found: Referrer[] = [];
    let text = 0;
    for (const row of rows) {
      text += lengthOf(row.annotations) + lengthOf(row.artifact_type);
      if (found.length > 0 && text > maxReferrerText) break;
      found.push({
        ...descriptorOf(row),
        ...(typeof row.artifact_type === "string" ? { artifactType: row.artifact_type } : {}),
        ...(typeof row.annotations === "string"
          ? { annotations: JSON.parse(row.annotations) as Readonly<Record<string, string>> }
          : {}),
      });
    }
    return found;
  }

  async resolve(repository: RepositoryName, tag: Tag): Promise<Descriptor | undefined> {
    const row = this.get(
      `SELECT c.digest, c.size, m.media_type FROM tags t JOIN repositories r ON r.id = t.repository
       JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content
       WHERE r.name = ? AND t.name = ?`,
      repository,
      tag,
    );
    return row === undefined ? undefined : descriptorOf(row);
  }

  async tag(repository: RepositoryName, digest: Digest, tag: Tag): Promise<void> {
    this.change(() => {
      const row = this.neededManifest(repository, digest);
      this.point(row.repository, tag, row.id);
    });
  }

  async untag(repository: RepositoryName, tag: Tag): Promise<boolean> {
    return this.change(
      () =>
        this.run(
          "DELETE FROM tags WHERE name = ? AND repository = (SELECT id FROM repositories WHERE name = ?)",
          tag,
          repository,
        ) > 0,
    );
  }

  async tags(repository: RepositoryName, page: PageRequest): Promise<readonly Tag[]> {
    const rows = this.statement(
      `SELECT t.name FROM tags t JOIN repositories r ON r.id = t.repository
       WHERE r.name = ? AND t.name > ? ORDER BY t.name LIMIT ?`,
    ).all(repository, page.after ?? "", page.limit);
    return rows.map(({ name }) => name as Tag);
  }

  async hasRepository(repository: RepositoryName): Promise<boolean> {
    return this.get("SELECT id FROM repositories WHERE name = ?", repository) !== undefined;
  }

  async repositories(page: PageRequest): Promise<readonly RepositoryName[]> {
    const rows = this.statement(
      `SELECT name FROM repositories r WHERE name > ? AND EXISTS (SELECT 1 FROM manifests WHERE repository = r.id)
       ORDER BY name LIMIT ?`,
    ).all(page.after ?? "", page.limit);
    return rows.map(({ name }) => name as RepositoryName);
  }

  async usage(): Promise<number> {
    return Number(this.get("SELECT bytes FROM usage")?.bytes);
  }

  close(): void {
    this.database.close();
  }

  private ensureRepository(name: RepositoryName): SQLInputValue {
    this.run("INSERT INTO repositories (name) VALUES (?) ON CONFLICT DO NOTHING", name);
    return this.get("SELECT id FROM repositories WHERE name = ?", name)?.id ?? null;
  }

  private link(repository: SQLInputValue, digest: Digest): void {
    this.run(
      `INSERT INTO blob_links (repository, blob, linked_at) SELECT ?, id, ? FROM blobs WHERE digest = ?
       ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at`,
      repository,
      this.clock.now().toMillis(),
      digest,
    );
  }

  private linkedBlob(repository: RepositoryName, digest: Digest): Row | undefined {
    return this.get(
      `SELECT b.id, b.size, l.repository FROM blobs b JOIN blob_links l ON l.blob = b.id
       JOIN repositories r ON r.id = l.repository WHERE b.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
  }

  private neededBlob(repository: RepositoryName, blob: Descriptor): SQLInputValue {
    const row = this.linkedBlob(repository, blob.digest);
    if (row === undefined) throw new ContentNotFoundError(blob.digest);
    if (row.size !== blob.size) {
      throw new InvalidManifestError(`${blob.digest} has ${String(row.size)} bytes, not ${blob.size}`);
    }
    return row.id ?? null;
  }

  private manifestRow(repository: RepositoryName, digest: Digest): Row | undefined {
    return this.get(
      `SELECT m.id, m.repository, m.media_type, c.digest, c.size FROM manifest_contents c
       JOIN manifests m ON m.content = c.id JOIN repositories r ON r.id = m.repository
       WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
  }

  private neededManifest(repository: RepositoryName, digest: Digest): Row {
    const row = this.manifestRow(repository, digest);
    if (row === undefined) throw new ContentNotFoundError(digest);
    return row;
  }

  private storeManifest(owner: SQLInputValue, { descriptor, bytes, manifest }: ManifestWrite): SQLInputValue {
    const { digest, size, mediaType } = descriptor;
    this.run(
      "INSERT INTO manifest_contents (digest, size, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      digest,
      size,
      bytes,
    );
    const annotations =
      Object.keys(manifest.annotations).length === 0 ? null : JSON.stringify(manifest.annotations);
    const row = this.get(
      `INSERT INTO manifests (repository, content, media_type, subject, artifact_type, annotations, pushed_at)
       SELECT ?, id, ?, ?, ?, ?, ? FROM manifest_contents WHERE digest = ?
       ON CONFLICT DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
         pushed_at = excluded.pushed_at
       RETURNING id`,
      owner,
      mediaType,
      manifest.subject ?? null,
      manifest.artifactType ?? null,
      annotations,
      this.clock.now().toMillis(),
      digest,
    );
    return row?.id ?? null;
  }

  private point(repository: SQLInputValue | undefined, tag: Tag, manifest: SQLInputValue | undefined): void {
    this.run(
      `INSERT INTO tags (repository, name, manifest, updated_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET manifest = excluded.manifest, updated_at = excluded.updated_at`,
      repository,
      tag,
      manifest,
      this.clock.now().toMillis(),
    );
  }

  private change<T>(work: () => T): T {
    return transaction(this.database, work);
  }

  private get(sql: string, ...values: (SQLInputValue | undefined)[]): Row | undefined {
    return this.statement(sql).get(...values.map((value) => value ?? null));
  }

  private run(sql: string, ...values: (SQLInputValue | undefined)[]): number {
    return Number(this.statement(sql).run(...values.map((value) => value ?? null)).changes);
  }

  private statement(sql: string): StatementSync {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.database.prepare(sql);
    this.statements.set(sql, prepared);
    return prepared;
  }
}

function isChildManifest({ mediaType }: Descriptor): boolean {
  return isManifest(mediaType);
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function descriptorOf(row: Row): Descriptor {
  return { mediaType: String(row.media_type), digest: String(row.digest) as Digest, size: Number(row.size) };
}
