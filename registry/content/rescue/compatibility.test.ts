import { mkdtemp, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../../common/oci/digest.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { NewerSchemaError, openDatabase, type Migration } from "../database.ts";
import { migrations } from "../schema.ts";

const clock = new ManualClock();
const one = migrations.filter(({ version }) => version === 1);
const layer = digestOf("layer");
const document = Buffer.from("{}");

/** What the first version of the program does with its tables, in its own words: frozen, like the version. */
const firstVersion = {
  push: (database: DatabaseSync, name: string, tag: string): void => {
    const run = (sql: string, ...values: (string | number | Uint8Array | null)[]): void => {
      database.prepare(sql).run(...values);
    };
    database.exec("BEGIN IMMEDIATE");
    run("INSERT INTO repositories (name) VALUES (?) ON CONFLICT DO NOTHING", name);
    run("INSERT INTO blobs (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING", layer, 5);
    run(
      `INSERT INTO blob_links (repository, blob, linked_at) SELECT ?, id, ? FROM blobs WHERE digest = ?
       ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at`,
      id(database, name),
      1,
      layer,
    );
    run(
      "INSERT INTO manifest_contents (digest, size, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      digestOf(document),
      document.length,
      document,
    );
    const row = database
      .prepare(
        `INSERT INTO manifests (repository, content, media_type, subject, artifact_type, annotations, pushed_at)
         SELECT ?, id, ?, ?, ?, ?, ? FROM manifest_contents WHERE digest = ?
         ON CONFLICT DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
           pushed_at = excluded.pushed_at
         RETURNING id`,
      )
      .get(id(database, name), "application/json", null, null, null, 2, digestOf(document));
    const manifest = Number(row?.id);
    run("INSERT INTO manifest_blobs VALUES (?, (SELECT id FROM blobs)) ON CONFLICT DO NOTHING", manifest);
    run(
      "INSERT INTO manifest_children VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sparse = excluded.sparse",
      manifest,
      digestOf("child"),
      1,
    );
    run(
      `INSERT INTO tags (repository, name, manifest, updated_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET manifest = excluded.manifest, updated_at = excluded.updated_at`,
      id(database, name),
      tag,
      manifest,
      3,
    );
    database.exec("COMMIT");
  },
  deleteAll: (database: DatabaseSync): void => {
    database.exec(`
      BEGIN IMMEDIATE;
      UPDATE manifest_children SET sparse = 1;
      DELETE FROM manifests;
      DELETE FROM manifest_contents WHERE NOT EXISTS (SELECT 1 FROM manifests WHERE content = manifest_contents.id);
      DELETE FROM blob_links;
      DELETE FROM blobs;
      COMMIT;
    `);
  },
  tags: (database: DatabaseSync, name: string): unknown[] =>
    database
      .prepare(
        `SELECT t.name, c.digest, m.media_type FROM tags t JOIN repositories r ON r.id = t.repository
         JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content WHERE r.name = ?
         ORDER BY t.name`,
      )
      .all(name)
      .map((row) => String(row.name)),
  usage: (database: DatabaseSync): number => Number(database.prepare("SELECT bytes FROM usage").get()?.bytes),
};

function id(database: DatabaseSync, name: string): number {
  return Number(database.prepare("SELECT id FROM repositories WHERE name = ?").get(name)?.id);
}

describe("T88 data that another version of the program wrote", () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "schema-"));
    path = join(directory, "registry.db");
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const withDatabase = <T>(steps: readonly Migration[], work: (database: DatabaseSync) => T): T => {
    const database = openDatabase(path, steps, clock);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };

  test("the first version's schema is what it was when it was released", () => {
    const text = one[0]?.sql.replace(/\s+/g, " ");
    expect(digestOf(text ?? "")).toBe(
      "sha256:e83f9a2d526101b067f869006a86c2c690f9208730bd3a63d8b780642e05fb30",
    );
  });

  test("the steps are in order", () => {
    const versions = migrations.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });

  test("what the first version wrote is used here, the first version goes on with it, and then this one again", () => {
    withDatabase(one, (database) => {
      firstVersion.push(database, "team/a", "v1");
    });
    withDatabase(migrations, (database) => {
      expect(firstVersion.tags(database, "team/a")).toEqual(["v1"]);
      expect(firstVersion.usage(database)).toBe(7);
    });
    withDatabase(one, (database) => {
      firstVersion.push(database, "team/a", "v2");
      firstVersion.push(database, "team/b", "v3");
      expect(firstVersion.tags(database, "team/a")).toEqual(["v1", "v2"]);
      firstVersion.deleteAll(database);
      expect(firstVersion.usage(database)).toBe(0);
      firstVersion.push(database, "team/c", "v4");
    });
    withDatabase(migrations, (database) => {
      expect(firstVersion.tags(database, "team/c")).toEqual(["v4"]);
      expect(firstVersion.usage(database)).toBe(7);
      expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
    });
  });

  test("an addition of a newer version is left alone, and not made twice", () => {
    const newer: Migration[] = [...migrations, { version: 900, sql: "CREATE TABLE more (x INTEGER) STRICT" }];
    withDatabase(newer, () => undefined);
    withDatabase(migrations, (database) => {
      firstVersion.push(database, "team/a", "v1");
    });
    withDatabase(newer, (database) => {
      expect(firstVersion.tags(database, "team/a")).toEqual(["v1"]);
    });
  });

  test("what is really too new is refused, with what to do", () => {
    const newer: Migration[] = [...migrations, { version: 900, sql: "DROP TABLE usage", breaking: true }];
    withDatabase(newer, () => undefined);
    const open = (): void => {
      withDatabase(migrations, () => undefined);
    };
    expect(open).toThrow(NewerSchemaError);
    expect(open).toThrow(
      /schema 900.*run the version that wrote it, or put its copy .*backups\/before-schema/,
    );
  });
});
