import type { Migration } from "../database.ts";

/**
 * What scrubbing needs to know.
 *
 * - `quarantine`: content whose bytes are not its own, or are gone. Such a blob counts as one that nobody has; a manifest is
 *   taken out of its repositories. It ends by itself when a good copy comes: with the link that a blob gets then, or as
 *   the manifest is stored; and when the blob is forgotten.
 * - `scrub`: how far the present scrub has come among `blobs.id`, and what it found, so that a restart goes on there.
 */
export const scrubMigration: Migration = {
  version: 4,
  sql: `
    CREATE TABLE quarantine (
      digest TEXT PRIMARY KEY, kind TEXT NOT NULL, size INTEGER NOT NULL, reason TEXT NOT NULL, found_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE scrub (
      one INTEGER PRIMARY KEY CHECK (one = 1), begun_at INTEGER NOT NULL, ended_at INTEGER, checked_to INTEGER NOT NULL,
      blobs INTEGER NOT NULL, bytes INTEGER NOT NULL, found INTEGER NOT NULL
    ) STRICT;

    CREATE TRIGGER good_blob_linked AFTER INSERT ON blob_links WHEN EXISTS (SELECT 1 FROM quarantine) BEGIN
      DELETE FROM quarantine WHERE digest = (SELECT digest FROM blobs WHERE id = new.blob);
    END;
    CREATE TRIGGER good_blob_linked_again AFTER UPDATE OF linked_at ON blob_links
      WHEN EXISTS (SELECT 1 FROM quarantine) BEGIN
      DELETE FROM quarantine WHERE digest = (SELECT digest FROM blobs WHERE id = new.blob);
    END;
    CREATE TRIGGER quarantined_blob_forgotten AFTER DELETE ON blobs BEGIN
      DELETE FROM quarantine WHERE digest = old.digest;
    END;
    CREATE TRIGGER good_manifest_stored AFTER INSERT ON manifest_contents BEGIN
      DELETE FROM quarantine WHERE digest = new.digest;
    END;
  `,
};
