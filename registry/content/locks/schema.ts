import type { Migration } from "../database.ts";

/** The bits of a column `locks`: what is switched off. */
export const lockBits = { deleteEnabled: 1, writeEnabled: 2, listEnabled: 4, readEnabled: 8 } as const;

const refuse = (what: string): string => `SELECT RAISE(ABORT, ${what} || ' is locked')`;
const repositoryIs = (row: "old" | "new", bits: number): string =>
  `(SELECT locks & ${bits} FROM repositories WHERE id = ${row}.repository) <> 0`;
const repositoryName = (row: "old" | "new"): string =>
  `'repository ' || (SELECT name FROM repositories WHERE id = ${row}.repository)`;
const manifestName = "'manifest ' || (SELECT digest FROM manifest_contents WHERE id = old.content)";

const { deleteEnabled, writeEnabled } = lockBits;
const keep = deleteEnabled | writeEnabled;

/** Whether the catalog lists a repository: an index has exactly these, in the order of their names. */
export const isListed = `occupied = 1 AND locks & ${lockBits.listEnabled} = 0`;

/**
 * Locks lie with what they lock, and triggers obey them: so every writer does, also the previous version of this program,
 * and deleting a manifest obeys the locks of its tags. Nothing else in the schema uses `RAISE`: whoever catches it knows
 * that something is locked.
 *
 * An entry of an index that the repository does not have as it comes may turn out to be a blob: the last trigger gives
 * it to its index then, which keeps it.
 */
export const locksMigration: Migration = {
  version: 3,
  sql: `
    ALTER TABLE repositories ADD COLUMN locks INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE manifests ADD COLUMN locks INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tags ADD COLUMN locks INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX repositories_locked ON repositories (locks) WHERE locks <> 0;
    CREATE INDEX repositories_listed ON repositories (name) WHERE ${isListed};
    CREATE INDEX manifests_locked ON manifests (locks) WHERE locks <> 0;
    CREATE INDEX tags_locked ON tags (locks) WHERE locks <> 0;

    CREATE TRIGGER locked_repository_takes_no_manifest BEFORE INSERT ON manifests
      WHEN ${repositoryIs("new", writeEnabled)} BEGIN ${refuse(repositoryName("new"))}; END;
    CREATE TRIGGER locked_repository_takes_no_tag BEFORE INSERT ON tags
      WHEN ${repositoryIs("new", writeEnabled)} BEGIN ${refuse(repositoryName("new"))}; END;
    CREATE TRIGGER locked_repository_takes_no_blob BEFORE INSERT ON blob_links
      WHEN ${repositoryIs("new", writeEnabled)} BEGIN ${refuse(repositoryName("new"))}; END;
    CREATE TRIGGER locked_repository_keeps_manifests BEFORE DELETE ON manifests
      WHEN ${repositoryIs("old", keep)} BEGIN ${refuse(repositoryName("old"))}; END;
    CREATE TRIGGER locked_repository_keeps_tags BEFORE DELETE ON tags
      WHEN ${repositoryIs("old", keep)} BEGIN ${refuse(repositoryName("old"))}; END;
    CREATE TRIGGER locked_manifest_stays BEFORE DELETE ON manifests
      WHEN old.locks & ${keep} BEGIN ${refuse(manifestName)}; END;
    CREATE TRIGGER locked_tag_stays BEFORE DELETE ON tags
      WHEN old.locks & ${keep} BEGIN ${refuse("'tag ' || old.name")}; END;
    CREATE TRIGGER locked_tag_does_not_move BEFORE UPDATE OF manifest ON tags
      WHEN old.locks & ${writeEnabled} AND old.manifest <> new.manifest
      BEGIN ${refuse("'tag ' || old.name")}; END;

    CREATE TRIGGER awaited_blob_comes AFTER INSERT ON blob_links BEGIN
      INSERT OR IGNORE INTO manifest_blobs SELECT c.manifest, new.blob
        FROM manifest_children c JOIN manifests m ON m.id = c.manifest
        WHERE c.digest = (SELECT digest FROM blobs WHERE id = new.blob)
        AND c.sparse = 1 AND m.repository = new.repository;
    END;
  `,
};
