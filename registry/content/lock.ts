import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Duration } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { hasCode } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";

const sqliteBusy = 5;
/** The data belongs to another process that runs. */
export class DataInUseError extends Error {
  override readonly name = "DataInUseError";
}

/**
 * Makes data ours alone, by a transaction on the file `path` that never ends: the operating system ends it with the
 * process, however that ends, which no file with a process id in it could promise.
 *
 * @param advice what else may be the reason, where locks may not work
 * @returns what gives it free
 * @throws {DataInUseError}
 */
export function holdLock(path: string, advice?: string): () => void {
  makeFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (hasCode(error, "ERR_SQLITE_ERROR") && (error as { errcode?: unknown }).errcode === sqliteBusy) {
      const text = `another process uses the data beside ${path}: stop it first`;
      throw new DataInUseError(advice === undefined ? text : `${text}; ${advice}`);
    }
    throw error;
  }
  return () => {
    database.close();
  };
}

/** Whoever may read the file could hold it: SQLite would let everybody. One that is there is left alone, since closing it ends our locks. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "ax", 0o600));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

/**
 * Opens data that a predecessor may still be using: one that is told to stop lets its last requests end first.
 *
 * @throws {DataInUseError} if it is still in use after `patience`; or the signal's reason
 */
export async function openWhenFree<T>(
  open: () => Promise<T>,
  patience: Duration,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<T> {
  const giveUpAt = clock.now().plus(patience);
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!isInUse(error) || clock.now() >= giveUpAt) throw error;
      if (attempt === 1) log.info("waiting for the process that still uses the data");
      await clock.sleep(seconds(0.5), signal);
    }
  }
}

/** Whether it is a {@link DataInUseError}. */
export function isInUse(error: unknown): boolean {
  return error instanceof DataInUseError;
}
