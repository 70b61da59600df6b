import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";

/** One row, by column. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A step from one version of the schema to the next. Never changed once it was released. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** Data that a newer version of this program wrote in a way that this one cannot read. */
export class NewerSchemaError extends Error {
  override readonly name = "NewerSchemaError";
}

/** Opens the database `path` (or `:memory:`), durable at every commit, and brings its schema up to date. */
export function openDatabase(path: string, migrations: readonly Migration[], clock: Clock): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
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

function migrate(database: DatabaseSync, migrations: readonly Migration[], clock: Clock): void {
  database.exec(
    "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT",
  );
  const row = database.prepare("SELECT coalesce(max(version), 0) AS version FROM migrations").get();
  const current = Number(row?.version);
  const newest = migrations.at(-1)?.version ?? 0;
  if (current > newest) {
    throw new NewerSchemaError(
      `the data has schema version ${current}, and this version of the program reads up to ${newest}`,
    );
  }
  const record = database.prepare("INSERT INTO migrations (version, applied_at) VALUES (?, ?)");
  for (const { version, sql } of migrations.filter((migration) => migration.version > current)) {
    transaction(database, () => {
      database.exec(sql);
      record.run(version, clock.now().toISO());
    });
  }
}
