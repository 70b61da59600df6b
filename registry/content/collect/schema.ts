import type { Migration } from "../database.ts";

/**
 * What collecting garbage needs to know. Triggers keep it right, so that a program of the version before, which knows
 * nothing of it, may go on writing.
 *
 * - `repositories.bytes`: of all blobs and manifests that the repository has.
 * - `repositories.additions`: how many manifests ever came. Whoever reads the same number twice knows that none came between.
 * - `repositories.occupied`: whether it has a manifest, which is what the catalog lists.
 * - `manifests.pulled_at`: when a client asked for it last, to the hour. Null: not since this column is there.
 * - `manifests.idle_since`: since when it is known that no tag, index or subject keeps it; 0: it goes with the image that it
 *   was part of. Null: something keeps it, or nobody has looked. A tag or a push takes it back.
 * - `collection`: the last collection of garbage.
 */
export const collectMigration: Migration = {
  version: 2,
  sql: `
    ALTER TABLE repositories ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE repositories ADD COLUMN additions INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE repositories ADD COLUMN occupied INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE manifests ADD COLUMN pulled_at INTEGER;
    ALTER TABLE manifests ADD COLUMN idle_since INTEGER;
    CREATE INDEX manifests_condemned ON manifests (repository, content) WHERE idle_since = 0;
    CREATE TABLE collection (
      one INTEGER PRIMARY KEY CHECK (one = 1), begun_at INTEGER NOT NULL, report TEXT NOT NULL
    ) STRICT;

    UPDATE repositories SET bytes =
      (SELECT coalesce(sum(b.size), 0) FROM blob_links l JOIN blobs b ON b.id = l.blob WHERE l.repository = repositories.id) +
      (SELECT coalesce(sum(c.size), 0) FROM manifests m JOIN manifest_contents c ON c.id = m.content
       WHERE m.repository = repositories.id);
    UPDATE repositories SET occupied = 1 WHERE EXISTS (SELECT 1 FROM manifests WHERE repository = repositories.id);

    CREATE TRIGGER blob_linked AFTER INSERT ON blob_links BEGIN
      UPDATE repositories SET bytes = bytes + (SELECT size FROM blobs WHERE id = new.blob) WHERE id = new.repository;
    END;
    CREATE TRIGGER blob_unlinked AFTER DELETE ON blob_links BEGIN
      UPDATE repositories SET bytes = bytes - (SELECT size FROM blobs WHERE id = old.blob) WHERE id = old.repository;
    END;
    CREATE TRIGGER manifest_came AFTER INSERT ON manifests BEGIN
      UPDATE repositories SET additions = additions + 1,
        bytes = bytes + (SELECT size FROM manifest_contents WHERE id = new.content) WHERE id = new.repository;
    END;
    CREATE TRIGGER manifest_went AFTER DELETE ON manifests BEGIN
      UPDATE repositories SET bytes = bytes - (SELECT size FROM manifest_contents WHERE id = old.content)
        WHERE id = old.repository;
    END;

    CREATE TRIGGER repository_occupied AFTER INSERT ON manifests BEGIN
      UPDATE repositories SET occupied = 1 WHERE id = new.repository AND occupied = 0;
    END;
    CREATE TRIGGER repository_emptied AFTER DELETE ON manifests BEGIN
      UPDATE repositories SET occupied = 0
        WHERE id = old.repository AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository = old.repository);
    END;

    CREATE TRIGGER manifest_pushed_again AFTER UPDATE OF pushed_at ON manifests WHEN new.idle_since IS NOT NULL BEGIN
      UPDATE manifests SET idle_since = NULL WHERE id = new.id;
    END;
    CREATE TRIGGER tag_came AFTER INSERT ON tags BEGIN
      UPDATE manifests SET idle_since = NULL WHERE id = new.manifest AND idle_since IS NOT NULL;
    END;
    CREATE TRIGGER tag_moved AFTER UPDATE OF manifest ON tags BEGIN
      UPDATE manifests SET idle_since = NULL WHERE id = new.manifest AND idle_since IS NOT NULL;
    END;
  `,
};
