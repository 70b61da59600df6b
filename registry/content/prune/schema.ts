import type { Migration } from "../database.ts";

/**
 * What pruning remembers. Triggers keep it right, whoever writes: the previous version of this program, too.
 *
 * - `missing_tags`: tags here that the parent has no more, or the rules select no more. Who points the tag at something
 *   wants it: that takes the mark back.
 * - `pruned_tags`: tags that were removed for that, with the manifest that they named, which is kept as if they still did.
 *   Who gives the manifest that tag again has it back.
 * - `prune_clock`: `watched` is for how long, in milliseconds, somebody has been watching, ever; all times of these
 *   tables are by it. `at` is when that was written, in milliseconds since 1970.
 */
export const pruneMigration: Migration = {
  version: 6,
  sql: `
    CREATE TABLE missing_tags (
      repository INTEGER NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (repository, name),
      FOREIGN KEY (repository, name) REFERENCES tags (repository, name) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pruned_tags (
      repository INTEGER NOT NULL, name TEXT NOT NULL, manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE,
      reason TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (repository, name, manifest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pruned_tags_by_manifest ON pruned_tags (manifest);
    CREATE TABLE prune_clock (
      one INTEGER PRIMARY KEY CHECK (one = 1), watched INTEGER NOT NULL, at INTEGER NOT NULL
    ) STRICT;

    CREATE TRIGGER missing_tag_points AFTER UPDATE OF manifest ON tags BEGIN
      DELETE FROM missing_tags WHERE repository = new.repository AND name = new.name;
      DELETE FROM pruned_tags WHERE repository = new.repository AND name = new.name AND manifest = new.manifest;
    END;
    CREATE TRIGGER pruned_tag_returns AFTER INSERT ON tags BEGIN
      DELETE FROM pruned_tags WHERE repository = new.repository AND name = new.name AND manifest = new.manifest;
    END;
  `,
};
