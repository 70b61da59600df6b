import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { MetadataDatabase } from "../metadata-database.ts";

/** An upload to the parent that goes on where it stopped. */
export interface KeptUpload {
  /** Path and query at the parent. */
  readonly location: string;
  /** How much the parent has of it, as it said. */
  readonly offset: number;
  /** The least that the parent takes at once, but for the end; not kept. */
  readonly leastPart?: number;
}

/** The uploads to the parent that have begun and not ended, across restarts. */
export class OutboxUploads {
  private readonly database: MetadataDatabase;

  constructor(database: MetadataDatabase) {
    this.database = database;
  }

  /** Where the upload of a blob of `repository` goes on. */
  find(repository: RepositoryName, digest: Digest): KeptUpload | undefined {
    const row = this.database.statements.row(
      "SELECT location, bytes FROM outbox_uploads WHERE repository = ? AND digest = ?",
      repository,
      digest,
    );
    return row === undefined ? undefined : { location: String(row.location), offset: Number(row.bytes) };
  }

  /** Keeps where an upload goes on; `undefined`: it has ended. */
  async keep(repository: RepositoryName, digest: Digest, upload: KeptUpload | undefined): Promise<void> {
    const { statements } = this.database;
    if (upload === undefined && this.find(repository, digest) === undefined) return;
    await this.database.change(() => {
      if (upload === undefined) {
        statements.run("DELETE FROM outbox_uploads WHERE repository = ? AND digest = ?", repository, digest);
        return;
      }
      statements.run(
        `INSERT INTO outbox_uploads (repository, digest, location, bytes) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET location = excluded.location, bytes = excluded.bytes`,
        repository,
        digest,
        upload.location,
        upload.offset,
      );
    });
  }
}
