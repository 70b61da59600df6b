import { collectMigration } from "./collect/schema.ts";
import type { Migration } from "./database.ts";
import { locksMigration } from "./locks/schema.ts";
import { outboxCourseMigration, outboxMigration } from "./outbox/schema.ts";
import { pruneMigration } from "./prune/schema.ts";
import { scrubMigration } from "./scrub/schema.ts";

/**
 * The tables of the metadata. Times are milliseconds since 1970: when a repository got something is what a later
 * collection of garbage judges by.
 *
 * Manifests lie in the database, bytes and all: they are small (a few KiB, 4 MiB at most), so that pushing one is a single
 * durable transaction instead of a file and a row that could disagree, and deleting the last use frees it at once.
 * Blobs are files; a row in `blobs` means that the file is there and whole.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    breaking: true,
    sql: `
      CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

      CREATE TABLE blobs (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, size INTEGER NOT NULL) STRICT;
      CREATE TABLE blob_links (
        repository INTEGER NOT NULL REFERENCES repositories, blob INTEGER NOT NULL REFERENCES blobs,
        linked_at INTEGER NOT NULL, PRIMARY KEY (repository, blob)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX blob_links_by_blob ON blob_links (blob);

      CREATE TABLE manifest_contents (
        id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, bytes BLOB NOT NULL
      ) STRICT;
      CREATE TABLE manifests (
        id INTEGER PRIMARY KEY, repository INTEGER NOT NULL REFERENCES repositories,
        content INTEGER NOT NULL REFERENCES manifest_contents, media_type TEXT NOT NULL,
        subject TEXT, artifact_type TEXT, annotations TEXT, pushed_at INTEGER NOT NULL,
        UNIQUE (repository, content)
      ) STRICT;
      CREATE INDEX manifests_by_content ON manifests (content);
      CREATE INDEX manifests_by_subject ON manifests (repository, subject) WHERE subject IS NOT NULL;

      CREATE TABLE manifest_blobs (
        manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE, blob INTEGER NOT NULL REFERENCES blobs,
        PRIMARY KEY (manifest, blob)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX manifest_blobs_by_blob ON manifest_blobs (blob);
      CREATE TABLE manifest_children (
        manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE, digest TEXT NOT NULL,
        sparse INTEGER NOT NULL, PRIMARY KEY (manifest, digest)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX manifest_children_by_digest ON manifest_children (digest);

      CREATE TABLE tags (
        repository INTEGER NOT NULL REFERENCES repositories, name TEXT NOT NULL,
        manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE, updated_at INTEGER NOT NULL,
        PRIMARY KEY (repository, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tags_by_manifest ON tags (manifest);

      CREATE TABLE usage (bytes INTEGER NOT NULL) STRICT;
      INSERT INTO usage (bytes) VALUES (0);
      CREATE TRIGGER blob_stored AFTER INSERT ON blobs
        BEGIN UPDATE usage SET bytes = bytes + new.size; END;
      CREATE TRIGGER blob_removed AFTER DELETE ON blobs
        BEGIN UPDATE usage SET bytes = bytes - old.size; END;
      CREATE TRIGGER manifest_stored AFTER INSERT ON manifest_contents
        BEGIN UPDATE usage SET bytes = bytes + new.size; END;
      CREATE TRIGGER manifest_removed AFTER DELETE ON manifest_contents
        BEGIN UPDATE usage SET bytes = bytes - old.size; END;
    `,
  },
  collectMigration,
  locksMigration,
  scrubMigration,
  outboxMigration,
  pruneMigration,
  outboxCourseMigration,
];
