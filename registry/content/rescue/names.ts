import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { LossList } from "./losses.ts";

const tagsOf = `
  SELECT r.name AS repository, t.name AS tag, c.digest FROM tags t JOIN repositories r ON r.id = t.repository
  JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content`;

/**
 * Adds to `lost` the tags that can still be read in the damaged database file `path` and that `database` does not have, or
 * has for another image: what changed since the backup was taken. As many as can be read: none is an answer, too.
 */
export function findLostTags(path: string, database: MetadataDatabase, lost: LossList): void {
  let damaged: DatabaseSync | undefined;
  try {
    damaged = new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true });
    for (const { repository, tag, digest } of damaged.prepare(tagsOf).iterate()) {
      const here = database.statements.row(
        `${tagsOf} WHERE r.name = ? AND t.name = ?`,
        repository ?? null,
        tag ?? null,
      );
      if (here?.digest !== digest) lost.tag(String(repository), String(tag));
    }
  } catch {
    // It is damaged: from here on it says nothing.
  } finally {
    damaged?.close();
  }
}
