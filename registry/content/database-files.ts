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

/** What could not be closed: closing it is also what the garbage collector would do. */
const leftOpen = new Set<unknown>();

/**
 * Closes a database, and leaves its log to the next start. Where nobody else can open it that cannot be done: it stays open, with
 * `files`, whose closing would end its locks, until the process ends. That must be by `process.exit`, as a process that just
 * has nothing left to do closes everything.
 */
export async function closeAsItIs(
  database: DatabaseSync,
  path: string,
  files: readonly FileHandle[],
): Promise<void> {
  if (closeBeside(database, path)) for (const file of files) await file.close();
  else leftOpen.add([database, ...files]);
}

function closeBeside(database: DatabaseSync, path: string): boolean {
  // The last connection copies the log to the database, from memory that may not be what the disk has; one that only
  // reads does not.
  const last = new DatabaseSync(path, { readOnly: true });
  try {
    last.exec(touch);
    database.close();
    return true;
  } catch (error) {
    if (!isBusy(error)) throw error;
    return false;
  } finally {
    last.close();
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: unknown };
  return errcode === sqliteBusy;
}
