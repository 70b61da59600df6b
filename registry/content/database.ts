import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";

/** One row, by column. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A step from one version of the schema to the next. Never changed once it was released. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
  /**
   * Whether a program that does not know this step must not use the data any more. Otherwise it adds (tables, indexes,
   * columns with a default, triggers that keep them right), and a program of an earlier version goes on reading and
   * writing: what every step must leave possible for the version before its own.
   */
  readonly breaking?: true;
}

/** Data that a newer version of this program wrote in a way that this one cannot read. */
export class NewerSchemaError extends Error {
  override readonly name = "NewerSchemaError";
}

/**
 * Opens the database `path` (or `:memory:`), durable at every commit, and brings its schema up to date.
 *
 * @param alone whether nobody else may open it meanwhile: needed on file systems on which memory cannot be shared
 */
export function openDatabase(
  path: string,
  migrations: readonly Migration[],
  clock: Clock,
  alone = false,
): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
    // Said before the log is first used, this keeps its index in our own memory.
    if (alone) database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // FULL syncs the log at every commit: what was acknowledged survives power loss.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    migrate(database, migrations, clock);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs `work` as one transaction, which is undone if it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk makes SQLite roll back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * What the schema of a database has behind it. `migrations` has the steps that a program must know to use the data: its
 * largest version is the lowest that may open it. `additions` has those that it may do without.
 */
const bookkeeping = `
  CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS additions (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;
`;

/** @throws {NewerSchemaError} */
function migrate(database: DatabaseSync, migrations: readonly Migration[], clock: Clock): void {
  database.exec(bookkeeping);
  const newest = migrations.at(-1)?.version ?? 0;
  const needed = largestVersion(database, "migrations");
  if (needed > newest) {
    throw new NewerSchemaError(
      `the data needs a program that knows schema ${needed}, and this one knows up to ${newest}: run the version that wrote it, ` +
        "or put its copy from before the upgrade (backups/before-schema-….db) in the place of registry.db",
    );
  }
  const current = schemaVersion(database);
  for (const { version, sql, breaking } of migrations.filter((migration) => migration.version > current)) {
    const table = breaking === true ? "migrations" : "additions";
    transaction(database, () => {
      database.exec(sql);
      database
        .prepare(`INSERT INTO ${table} (version, applied_at) VALUES (?, ?)`)
        .run(version, clock.now().toISO());
    });
  }
}

/** The newest step that the data has behind it, of whichever kind; 0 for an empty database. */
export function schemaVersion(database: DatabaseSync): number {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE name IN ('migrations', 'additions')")
    .all()
    .map(({ name }) => largestVersion(database, name as "migrations" | "additions"));
  return Math.max(0, ...tables);
}

function largestVersion(database: DatabaseSync, table: "migrations" | "additions"): number {
  return Number(database.prepare(`SELECT coalesce(max(version), 0) AS version FROM ${table}`).get()?.version);
}
