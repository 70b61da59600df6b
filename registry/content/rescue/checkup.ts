import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { messageOf } from "../../../common/errors.ts";
import { isCircumstance } from "./damage.ts";

/** What a check of a whole database found. All of it empty: the database is sound. */
export interface Checkup {
  /** Damage of the file's structure, in SQLite's words: nothing in it can be trusted. */
  readonly structure: readonly string[];
  /** Rows that point at rows that are not there. */
  readonly links: readonly string[];
  /** Digests of manifests whose bytes are not theirs. */
  readonly manifests: readonly string[];
  /** The count of stored bytes, where it is wrong. */
  readonly usage?: { readonly counted: number; readonly stored: number };
}

/** Of each kind of finding: more would say no more. */
const maxFindings = 100;

/**
 * Checks a database file that nobody writes to: its structure, its links, its manifests against their digests. Reads all of
 * it, so it takes seconds for hundreds of megabytes: for a process of its own.
 *
 * @throws what says nothing about damage: the check could not be made
 */
export function checkDatabase(path: string): Checkup {
  const sound = { structure: [], links: [], manifests: [] };
  let database: DatabaseSync | undefined;
  try {
    // Immutable: a copy that says it has a log beside it needs none, and gets none.
    const url = new URL(`${pathToFileURL(path).href}?immutable=1`);
    database = new DatabaseSync(url, { readOnly: true });
    const structure = texts(database, `PRAGMA integrity_check(${maxFindings})`).filter(
      (text) => text !== "ok",
    );
    if (structure.length > 0) return { ...sound, structure };
    if (texts(database, "SELECT name FROM sqlite_schema WHERE name = 'manifest_contents'").length === 0) {
      return { ...sound, structure: ["it has no tables"] };
    }
    return {
      structure,
      links: texts(
        database,
        `SELECT "table" || ' without its ' || parent FROM pragma_foreign_key_check LIMIT ${maxFindings}`,
      ),
      manifests: wrongManifests(database),
      ...wrongUsage(database),
    };
  } catch (error) {
    // No memory, no file, no permission: that says nothing about the database.
    if (isCircumstance(error)) throw error;
    return { ...sound, structure: [messageOf(error)] };
  } finally {
    database?.close();
  }
}

function texts(database: DatabaseSync, sql: string): readonly string[] {
  return database
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]));
}

function wrongManifests(database: DatabaseSync): readonly string[] {
  const wrong: string[] = [];
  for (const row of database.prepare("SELECT digest, size, bytes FROM manifest_contents").iterate()) {
    const digest = String(row.digest);
    const bytes = row.bytes as Uint8Array;
    const algorithm = digest.slice(0, digest.indexOf(":"));
    const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
    if (actual !== digest || bytes.length !== row.size) wrong.push(digest);
    if (wrong.length >= maxFindings) break;
  }
  return wrong;
}

function wrongUsage(database: DatabaseSync): Pick<Checkup, "usage"> {
  const row = database
    .prepare(
      `SELECT (SELECT bytes FROM usage) AS counted, (SELECT coalesce(sum(size), 0) FROM blobs)
         + (SELECT coalesce(sum(size), 0) FROM manifest_contents) AS stored`,
    )
    .get();
  const counted = Number(row?.counted);
  const stored = Number(row?.stored);
  return counted === stored ? {} : { usage: { counted, stored } };
}
