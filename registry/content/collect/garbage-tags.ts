import type { Digest } from "../../../common/oci/digest.ts";
import { tagWaitsToGoUp } from "../outbox/schema.ts";
import type { Statements } from "../tables/statements.ts";
import { attachedPrefix } from "../../../common/oci/attached-tag.ts";
import { here, keep } from "./garbage-conditions.ts";
import type { GarbageTag } from "./garbage.ts";

const pageSize = 100;

/** Tags as collecting sees them. Opens no transaction: whoever changes something does. */
export class GarbageTagTable {
  private readonly statements: Statements;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  page(repository: number, after: string): readonly GarbageTag[] {
    const rows = this.statements.rows(
      `SELECT t.name, t.manifest, t.updated_at, t.locks, c.digest, m.subject IS NOT NULL AND ${here("m.subject")} AS attached,
         max(coalesce(m.pulled_at, 0), coalesce((SELECT max(x.pulled_at) FROM manifest_children k
           JOIN manifest_contents xc ON xc.digest = k.digest JOIN manifests x ON x.content = xc.id
           WHERE k.manifest = m.id AND x.repository = m.repository), 0)) AS pulled_at
       FROM tags t JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content
       WHERE t.repository = ? AND t.name > ? ORDER BY t.name LIMIT ?`,
      repository,
      after,
      pageSize,
    );
    return rows.map((row) => ({
      name: String(row.name),
      manifest: Number(row.manifest),
      digest: row.digest as Digest,
      pushedAt: Number(row.updated_at),
      pulledAt: Number(row.pulled_at),
      locked: (Number(row.locks) & keep) !== 0,
      attached: row.attached === 1,
    }));
  }

  /** False if it is locked, waits to go up to the parent, or is no longer as it was seen. */
  remove(repository: number, { name, manifest, pushedAt }: GarbageTag): boolean {
    const removed = this.statements.run(
      `DELETE FROM tags WHERE repository = ? AND name = ? AND manifest = ? AND updated_at = ? AND locks & ${keep} = 0
       AND NOT ${tagWaitsToGoUp}`,
      repository,
      name,
      manifest,
      pushedAt,
    );
    return removed > 0;
  }

  /** Those that are about a manifest by their name alone. */
  about(repository: number, digest: Digest): readonly GarbageTag[] {
    const prefix = attachedPrefix(digest);
    // "/" is what comes after "." and is in no tag.
    const names = this.statements.rows(
      "SELECT name, manifest, updated_at FROM tags WHERE repository = ? AND (name = ? OR name > ? AND name < ?)",
      repository,
      prefix,
      `${prefix}.`,
      `${prefix}/`,
    );
    return names.map((row) => ({
      name: String(row.name),
      manifest: Number(row.manifest),
      digest,
      pushedAt: Number(row.updated_at),
      pulledAt: 0,
      locked: false,
      attached: true,
    }));
  }
}
