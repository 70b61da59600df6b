import type { Clock } from "../../../common/clock.ts";
import { digestOf, algorithmOf, type Digest } from "../../../common/oci/digest.ts";
import type { Blobs } from "../blobs.ts";
import type { Holds } from "../holds.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { forgetManifest } from "../rescue/forget.ts";
import { LossList, type Losses } from "../rescue/losses.ts";

export interface Quarantined {
  readonly digest: Digest;
  readonly kind: "blob" | "manifest";
  readonly size: number;
  readonly reason: string;
  /** In milliseconds since 1970. */
  readonly foundAt: number;
}

/** How many are named; the others count. Of manifests, which may never come again, the oldest are forgotten. */
const maxManifests = 1_000;
const dayMs = 24 * 3600 * 1000;
/** For so long damaged bytes are kept for whoever wants to look into them. */
const keptMs = 7 * dayMs;

/** Content that was found damaged: no reader gets it any more, until a good copy comes in by whichever way. */
export class Quarantine {
  private readonly database: MetadataDatabase;
  private readonly blobs: Blobs;
  private readonly holds: Holds;
  private readonly clock: Clock;

  constructor(database: MetadataDatabase, blobs: Blobs, holds: Holds, clock: Clock) {
    this.database = database;
    this.blobs = blobs;
    this.holds = holds;
    this.clock = clock;
  }

  get count(): number {
    return Number(this.database.statements.row("SELECT count(*) AS n FROM quarantine")?.n);
  }

  has(digest: Digest): boolean {
    return this.database.statements.row("SELECT 1 FROM quarantine WHERE digest = ?", digest) !== undefined;
  }

  /** The newest first. */
  list(limit: number): readonly Quarantined[] {
    const rows = this.database.statements.rows(
      "SELECT * FROM quarantine ORDER BY found_at DESC, digest LIMIT ?",
      limit,
    );
    return rows.map((row) => ({
      digest: row.digest as Digest,
      kind: row.kind as Quarantined["kind"],
      size: Number(row.size),
      reason: String(row.reason),
      foundAt: Number(row.found_at),
    }));
  }

  /**
   * Hides a blob, at once, and puts its bytes apart.
   *
   * @param cameAt of the bytes that were looked at, absent if there were none
   * @returns false if others came since: these stay
   */
  async blob(digest: Digest, size: number, reason: string, cameAt?: number): Promise<boolean> {
    if ((await this.blobs.stat(digest))?.cameAt !== cameAt) return false;
    await this.mark({ digest, kind: "blob", size, reason });
    // Who holds it is bringing a good copy, which takes the place of this one.
    await this.holds.whileFree([digest], async (free) => {
      if (free.length === 0 || cameAt === undefined) return;
      if ((await this.blobs.stat(digest))?.cameAt === cameAt) await this.blobs.putApart(digest);
    });
    return true;
  }

  /**
   * Takes a manifest whose bytes are not its own out of all repositories.
   *
   * @returns what they lose with it; `undefined` if it is sound, or gone
   */
  async manifest(digest: Digest): Promise<Losses | undefined> {
    const { statements } = this.database;
    const lost = new LossList();
    const taken = await this.database.change(() => {
      const row = statements.row("SELECT bytes, size FROM manifest_contents WHERE digest = ?", digest);
      const bytes = row?.bytes as Uint8Array | undefined;
      if (bytes === undefined || digestOf(bytes, algorithmOf(digest)) === digest) return false;
      forgetManifest(statements, digest, lost);
      this.insert({
        digest,
        kind: "manifest",
        size: Number(row?.size),
        reason: "its bytes have another digest",
      });
      statements.run(
        `DELETE FROM quarantine WHERE kind = 'manifest' AND digest NOT IN
         (SELECT digest FROM quarantine WHERE kind = 'manifest' ORDER BY found_at DESC LIMIT ${maxManifests})`,
      );
      return true;
    });
    return taken ? lost.losses : undefined;
  }

  /** Throws away the bytes of what is damaged no more, or has been for long. */
  async tidy(): Promise<void> {
    const oldest = this.clock.now().toMillis() - keptMs;
    for (const digest of await this.blobs.apart()) {
      const row = this.database.statements.row(
        "SELECT 1 FROM quarantine WHERE digest = ? AND found_at > ?",
        digest,
        oldest,
      );
      if (row === undefined) await this.blobs.dropApart(digest);
    }
  }

  private mark(found: Omit<Quarantined, "foundAt">): Promise<void> {
    return this.database.change(() => {
      this.insert(found);
    });
  }

  private insert({ digest, kind, size, reason }: Omit<Quarantined, "foundAt">): void {
    this.database.statements.run(
      `INSERT INTO quarantine (digest, kind, size, reason, found_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET reason = excluded.reason`,
      digest,
      kind,
      size,
      reason,
      this.clock.now().toMillis(),
    );
  }
}
