import type { Migration } from "../database.ts";

/**
 * What clients changed here and the parent does not have yet. Rows go by names, which outlive the rows of a repository.
 *
 * - `outbox`: one row for each tag, or manifest pushed or deleted by its digest: the newest change of it, in the order of
 *   `id`. `subject`: what a manifest that was deleted was about. `base` is what the parent had under the tag when that was last known, null: nothing; `tried` (JSON) what may have
 *   got there since by a try whose answer was lost; `refusal` why the parent will not have it: it is set aside.
 *   `restored`: it comes from a backup, and may be older than what the parent has by now.
 * - `outbox_parent_tags`: what the parent had under each tag when that was last known; `pushed`: it got that from here.
 * - `outbox_uploads`: where the upload of a blob to the parent goes on.
 * - `outbox_conflicts`: the last change of a tag that met another one at the parent, and what came of it.
 * - `outbox_parent`: whose answers all this rests on.
 */
export const outboxMigration: Migration = {
  version: 5,
  sql: `
    CREATE TABLE outbox (
      id INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT NOT NULL, reference TEXT NOT NULL,
      action TEXT NOT NULL CHECK (action IN ('put', 'delete')), digest TEXT NOT NULL, bytes INTEGER NOT NULL,
      subject TEXT, base TEXT, tried TEXT NOT NULL, restored INTEGER NOT NULL DEFAULT 0, queued_at INTEGER NOT NULL, refusal TEXT,
      UNIQUE (repository, reference)
    ) STRICT;
    CREATE INDEX outbox_by_digest ON outbox (digest, repository);
    CREATE INDEX outbox_waiting ON outbox (id) WHERE refusal IS NULL;
    CREATE INDEX outbox_refused ON outbox (id) WHERE refusal IS NOT NULL;

    CREATE TABLE outbox_parent_tags (
      repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, pushed INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (repository, tag)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox_uploads (
      repository TEXT NOT NULL, digest TEXT NOT NULL, location TEXT NOT NULL, bytes INTEGER NOT NULL,
      PRIMARY KEY (repository, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox_conflicts (
      repository TEXT NOT NULL, tag TEXT NOT NULL, ours TEXT, theirs TEXT, settled TEXT NOT NULL, sent_as TEXT,
      found_at INTEGER NOT NULL, PRIMARY KEY (repository, tag)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox_parent (one INTEGER PRIMARY KEY CHECK (one = 1), place TEXT NOT NULL) STRICT;
  `,
};

/**
 * - `outbox`: how often an entry has `failed`, and with what `error` the last time.
 * - `outbox_course`: how much was `settled` of all that ever waited, by which an older state of this database is known from
 *   a newer one; and `place`, where on the disk it lies, by which a copy is.
 */
export const outboxCourseMigration: Migration = {
  version: 7,
  sql: `
    ALTER TABLE outbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbox ADD COLUMN error TEXT;
    CREATE TABLE outbox_course (
      one INTEGER PRIMARY KEY CHECK (one = 1), settled INTEGER NOT NULL, place TEXT
    ) STRICT;
    INSERT INTO outbox_course (one, settled) VALUES (1, 0);
  `,
};

/** Whether something that waits to go up needs the manifest in `m` and `c`. */
export const waitsToGoUp = `EXISTS (SELECT 1 FROM outbox o WHERE o.digest = c.digest AND o.action = 'put'
  AND o.repository = (SELECT name FROM repositories WHERE id = m.repository))`;

/** Whether a change of the tag in `tags` waits to go up. */
export const tagWaitsToGoUp = `EXISTS (SELECT 1 FROM outbox o WHERE o.reference = tags.name
  AND o.repository = (SELECT name FROM repositories WHERE id = tags.repository))`;
