import type { Digest } from "../../../common/oci/digest.ts";
import type { Pins } from "../holds.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { Statements } from "../tables/statements.ts";
import type { BlobGarbage, BlobUse, GarbageBlob, GarbageLink, ManifestBytes } from "./garbage.ts";

const pageSize = 250;

/** Blobs in the database of all metadata. */
export class SqliteBlobGarbage implements BlobGarbage {
  private readonly database: MetadataDatabase;
  private readonly statements: Statements;

  constructor(database: MetadataDatabase) {
    this.database = database;
    this.statements = database.statements;
  }

  additions(repository: number): number {
    return Number(
      this.statements.row("SELECT additions FROM repositories WHERE id = ?", repository)?.additions,
    );
  }

  manifests(repository: number, after: number): readonly ManifestBytes[] {
    const rows = this.statements.rows(
      `SELECT m.content, m.media_type, c.digest FROM manifests m JOIN manifest_contents c ON c.id = m.content
       WHERE m.repository = ? AND m.content > ? ORDER BY m.content LIMIT ?`,
      repository,
      after,
      pageSize,
    );
    return rows.map(({ content, media_type: mediaType, digest }) => ({
      position: Number(content),
      digest: digest as Digest,
      mediaType: String(mediaType),
      read: () =>
        this.statements.row("SELECT bytes FROM manifest_contents WHERE id = ?", content)?.bytes as
          Uint8Array | undefined,
    }));
  }

  links(repository: number, after: number): readonly GarbageLink[] {
    const rows = this.statements.rows(
      `SELECT l.blob, l.linked_at, b.digest, b.size FROM blob_links l JOIN blobs b ON b.id = l.blob
       WHERE l.repository = ? AND l.blob > ? ORDER BY l.blob LIMIT ?`,
      repository,
      after,
      pageSize,
    );
    return rows.map((row) => ({
      blob: Number(row.blob),
      digest: row.digest as Digest,
      size: Number(row.size),
      linkedAt: Number(row.linked_at),
    }));
  }

  uses(repository: number, { manifest, blob }: BlobUse): readonly BlobUse[] {
    const rows = this.statements.rows(
      `SELECT m.content, u.blob FROM manifests m CROSS JOIN manifest_blobs u ON u.manifest = m.id
       WHERE m.repository = ? AND m.content >= ? AND (m.content > ? OR u.blob > ?)
       ORDER BY m.content, u.blob LIMIT ?`,
      repository,
      manifest,
      manifest,
      blob,
      pageSize,
    );
    return rows.map((row) => ({ manifest: Number(row.content), blob: Number(row.blob) }));
  }

  removeLinks(
    repository: number,
    links: readonly GarbageLink[],
    cutoff: number,
    additions: number,
    pins: Pins,
  ): Promise<readonly GarbageLink[]> {
    return this.database.change(() => {
      // Looking who needs a blob may mean to look through every manifest that does, anywhere: so only where some came.
      const asked =
        this.additions(repository) === additions
          ? links
          : links.filter((link) => this.idle(repository, link));
      return asked.filter(
        ({ blob, digest }) => !pins.pinned(digest) && this.removeLink(repository, blob, cutoff),
      );
    });
  }

  blobs(after: number): readonly GarbageBlob[] {
    const rows = this.statements.rows(
      `SELECT id, digest, size, ${isFree} AS free FROM blobs WHERE id > ? ORDER BY id LIMIT ?`,
      after,
      pageSize,
    );
    return rows.map(({ id, digest, size, free }) => ({
      id: Number(id),
      digest: digest as Digest,
      size: Number(size),
      free: free === 1,
    }));
  }

  removeBlobs(blobs: readonly GarbageBlob[], pins: Pins): Promise<readonly GarbageBlob[]> {
    return this.database.change(() =>
      blobs.filter(
        ({ id, digest }) =>
          !pins.pinned(digest) &&
          this.statements.run(`DELETE FROM blobs WHERE id = ? AND digest = ? AND ${isFree}`, id, digest) > 0,
      ),
    );
  }

  async unknown(digests: readonly Digest[]): Promise<readonly Digest[]> {
    const rows = this.statements.rows(
      "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE digest = value)",
      JSON.stringify(digests),
    );
    // A row may have gone only for now: after power loss it would be back, and needs its file.
    if (rows.length > 0) await this.database.durable();
    return rows.map(({ value }) => value as Digest);
  }

  private idle(repository: number, { blob }: GarbageLink): boolean {
    const user = this.statements.row(
      `SELECT 1 FROM manifest_blobs u CROSS JOIN manifests m ON m.id = u.manifest
       WHERE u.blob = ? AND m.repository = ? LIMIT 1`,
      blob,
      repository,
    );
    return user === undefined;
  }

  private removeLink(repository: number, blob: number, cutoff: number): boolean {
    return (
      this.statements.run(
        "DELETE FROM blob_links WHERE repository = ? AND blob = ? AND linked_at <= ?",
        repository,
        blob,
        cutoff,
      ) > 0
    );
  }
}

const isFree = `NOT EXISTS (SELECT 1 FROM blob_links WHERE blob = blobs.id)
  AND NOT EXISTS (SELECT 1 FROM manifest_blobs WHERE blob = blobs.id)`;
