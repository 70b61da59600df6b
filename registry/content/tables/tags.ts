import type { SQLInputValue } from "node:sqlite";
import type { Clock } from "../../../common/clock.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { lockBits } from "../locks/schema.ts";
import type { PageRequest } from "../metadata.ts";
import { descriptorOf } from "./descriptor.ts";
import type { Statements } from "./statements.ts";

/** How many tags are removed in one step. */
const manyTags = 5_000;

/** Names of manifests. Opens no transaction: whoever changes something does. */
export class TagTable {
  private readonly statements: Statements;
  private readonly clock: Clock;

  constructor(statements: Statements, clock: Clock) {
    this.statements = statements;
    this.clock = clock;
  }

  resolve(repository: RepositoryName, tag: Tag): Descriptor | undefined {
    const row = this.statements.row(
      `SELECT c.digest, c.size, m.media_type FROM tags t JOIN repositories r ON r.id = t.repository
       JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content
       WHERE r.name = ? AND t.name = ?`,
      repository,
      tag,
    );
    return row === undefined ? undefined : descriptorOf(row);
  }

  /** Points `tag` at the row `manifest`, wherever it pointed before. Both rows are of the same repository. */
  point(repository: SQLInputValue | undefined, tag: Tag, manifest: SQLInputValue | undefined): void {
    this.statements.run(
      `INSERT INTO tags (repository, name, manifest, updated_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET manifest = excluded.manifest, updated_at = excluded.updated_at`,
      repository,
      tag,
      manifest,
      this.clock.now().toMillis(),
    );
  }

  /** False if the repository has no such tag. */
  remove(repository: RepositoryName, tag: Tag): boolean {
    return (
      this.statements.run(
        "DELETE FROM tags WHERE name = ? AND repository = (SELECT id FROM repositories WHERE name = ?)",
        tag,
        repository,
      ) > 0
    );
  }

  /** The row of a manifest that may be deleted, but has so many tags that doing so at once would keep everybody waiting. */
  crowded(repository: RepositoryName, digest: Digest): SQLInputValue | undefined {
    return this.statements.row(
      `SELECT m.id FROM manifest_contents c JOIN manifests m ON m.content = c.id
       JOIN repositories r ON r.id = m.repository WHERE c.digest = ? AND r.name = ? AND m.locks = 0
       AND EXISTS (SELECT 1 FROM tags WHERE manifest = m.id LIMIT 1 OFFSET ${manyTags})
       AND NOT EXISTS (SELECT 1 FROM tags INDEXED BY tags_locked WHERE locks <> 0 AND manifest = m.id)`,
      digest,
      repository,
    )?.id;
  }

  /** Removes some of the tags of the row `manifest`. */
  thinOut(manifest: SQLInputValue): void {
    this.statements.run(
      `DELETE FROM tags WHERE (repository, name) IN
       (SELECT repository, name FROM tags WHERE manifest = ? LIMIT ${manyTags})`,
      manifest,
    );
  }

  /** Those that may be listed, in ASCIIbetical order. */
  page(repository: RepositoryName, page: PageRequest): readonly Tag[] {
    const rows = this.statements.rows(
      `SELECT t.name FROM tags t JOIN repositories r ON r.id = t.repository
       WHERE r.name = ? AND t.name > ? AND t.locks & ${lockBits.listEnabled} = 0 ORDER BY t.name LIMIT ?`,
      repository,
      page.after ?? "",
      page.limit,
    );
    return rows.map(({ name }) => name as Tag);
  }
}
