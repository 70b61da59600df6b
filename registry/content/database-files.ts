import type { FileHandle } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { FileSystem } from "./files.ts";

const sqliteBusy = 5;

/** Makes a connection really use its database. */
const touch = "SELECT count(*) FROM sqlite_schema";

/** The file of an open database, and its log, which is made if there is none. Closes the database if this fails. */
export async function openFiles(
  database: DatabaseSync,
  path: string,
  files: FileSystem,
): Promise<readonly [FileHandle, FileHandle]> {
  try {
    database.exec(touch);
    const main = await files.open(path, "r+");
    try {
      return [main, await files.open(`${path}-wal`, "r+")];
    } catch (error) {
      await main.close();
      throw error;
    }
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Closes a database, and leaves its log to the next start; or leaves it open, where nobody else can open it. */
export function closeAsItIs(database: DatabaseSync, path: string): void {
  // The last connection copies the log to the database, from memory that may not be what the disk has; one that only
  // reads does not.
  const last = new DatabaseSync(path, { readOnly: true });
  try {
    last.exec(touch);
    database.close();
  } catch (error) {
    if (!isBusy(error)) throw error;
  } finally {
    last.close();
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: unknown };
  return errcode === sqliteBusy;
}
