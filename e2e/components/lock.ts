import { DatabaseSync } from "node:sqlite";
import { type Clock, milliseconds } from "../../common/clock.ts";

const busy = 5;
const poll = milliseconds(200);

/**
 * Runs `work` while holding the lock that `file` stands for, in whichever process.
 *
 * The lock is SQLite's, so the operating system's: it ends with the process that holds it, however that ends, and
 * there is no stale lock to find out about. `file` stays, empty: removing it would give two processes a lock each.
 *
 * @param waiting called when somebody else holds the lock, before each wait
 */
export async function withLock<T>(
  file: string,
  clock: Clock,
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<T>,
): Promise<T> {
  let lock = acquire(file);
  while (lock === undefined) {
    waiting();
    await clock.sleep(poll, signal);
    lock = acquire(file);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function acquire(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file);
  try {
    // Nothing is written, so there is nothing to keep a journal of on the disk.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (typeof error === "object" && error !== null && "errcode" in error && error.errcode === busy)
      return undefined;
    throw error;
  }
}
