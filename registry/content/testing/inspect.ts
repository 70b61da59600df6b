import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { algorithmOf, digestOf, hexOf, type Digest } from "../../../common/oci/digest.ts";
import { checkDatabase } from "../rescue/checkup.ts";

/** What no row may lack, and a question that finds those that do. */
const lacks = [
  [
    "an index lacks a child that is not marked as left out",
    `SELECT 1 FROM manifest_children k JOIN manifests p ON p.id = k.manifest WHERE k.sparse = 0 AND NOT EXISTS
     (SELECT 1 FROM manifests m JOIN manifest_contents c ON c.id = m.content
      WHERE m.repository = p.repository AND c.digest = k.digest)`,
  ],
  [
    "a manifest names a blob that its repository does not have",
    `SELECT 1 FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest WHERE NOT EXISTS
     (SELECT 1 FROM blob_links l WHERE l.repository = m.repository AND l.blob = u.blob)`,
  ],
  [
    "the bytes of a repository are counted wrong",
    `SELECT 1 FROM repositories r WHERE bytes <>
     (SELECT coalesce(sum(b.size), 0) FROM blob_links l JOIN blobs b ON b.id = l.blob WHERE l.repository = r.id) +
     (SELECT coalesce(sum(c.size), 0) FROM manifests m JOIN manifest_contents c ON c.id = m.content
      WHERE m.repository = r.id)`,
  ],
] as const;

type Rows = (sql: string) => readonly Record<string, unknown>[];

/**
 * Looks into the files of a store that nobody has open.
 *
 * @throws if the database is damaged, a blob that it knows is not there or has other bytes, it counts wrong, or a copy of it
 *   that counts as one is not sound
 */
export async function inspect(directory: string): Promise<void> {
  await reading(directory, async (rows) => {
    const [integrity] = rows("PRAGMA integrity_check");
    if (integrity?.integrity_check !== "ok") throw new Error(String(integrity?.integrity_check));
    if (rows("PRAGMA foreign_key_check").length > 0) throw new Error("a row names a row that is not there");
    for (const [what, sql] of lacks) if (rows(sql).length > 0) throw new Error(what);
    let stored = 0;
    for (const row of rows("SELECT digest, size FROM blobs")) {
      const digest = row.digest as Digest;
      const hex = hexOf(digest);
      const bytes = await readFile(join(directory, "blobs", algorithmOf(digest), hex.slice(0, 2), hex));
      if (digestOf(bytes, algorithmOf(digest)) !== digest)
        throw new Error(`the file of ${digest} is damaged`);
      if (bytes.length !== row.size) throw new Error(`${digest} has ${bytes.length} bytes`);
      stored += bytes.length;
    }
    for (const { size } of rows("SELECT size FROM manifest_contents")) stored += Number(size);
    const [usage] = rows("SELECT bytes FROM usage");
    if (usage?.bytes !== stored)
      throw new Error(`${stored} bytes are stored, and ${String(usage?.bytes)} are counted`);
  });
  const backups = join(directory, "backups");
  for (const name of await readdir(backups).catch(() => [])) {
    if (!name.endsWith(".db")) continue;
    const found = Object.values(checkDatabase(join(backups, name))).flat();
    if (found.length > 0) throw new Error(`the copy ${name} is not sound: ${JSON.stringify(found)}`);
  }
}

/** @throws if garbage was collected and something is there that nobody can use: rows, files or pieces of them */
export async function checkCollected(directory: string): Promise<void> {
  await reading(directory, async (rows) => {
    const orphans = rows(
      `SELECT digest FROM blobs WHERE id NOT IN (SELECT blob FROM blob_links)
       UNION ALL SELECT digest FROM manifest_contents WHERE id NOT IN (SELECT content FROM manifests)`,
    );
    if (orphans.length > 0) throw new Error(`no repository has ${JSON.stringify(orphans)}`);
    const known = new Set(rows("SELECT digest FROM blobs").map(({ digest }) => hexOf(digest as Digest)));
    const files = await readdir(join(directory, "blobs"), { recursive: true, withFileTypes: true });
    const unknown = files.filter((file) => file.isFile() && !known.has(file.name));
    if (unknown.length > 0) throw new Error(`nothing names ${unknown.map(({ name }) => name).join(", ")}`);
  });
  const pieces = (await readdir(directory, { recursive: true })).filter((name) =>
    /\.tmp$|^dry-run/.test(name),
  );
  if (pieces.length > 0) throw new Error(`these were left: ${pieces.join(", ")}`);
}

async function reading(directory: string, work: (rows: Rows) => Promise<void>): Promise<void> {
  const database = new DatabaseSync(join(directory, "registry.db"), { readOnly: true });
  try {
    await work((sql) => database.prepare(sql).all());
  } finally {
    database.close();
  }
}
