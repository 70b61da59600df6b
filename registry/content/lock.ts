import { DatabaseSync } from "node:sqlite";
import { hasCode } from "../../common/errors.ts";

const sqliteBusy = 5;
/** How long a predecessor that is just stopping may take. */
const patienceMs = 5_000;

/** The data belongs to another process that runs. */
export class DataInUseError extends Error {
  override readonly name = "DataInUseError";
}

/**
 * Makes data ours alone, by a transaction on the file `path` that never ends: the operating system ends it with the
 * process, however that ends, which no file with a process id in it could promise.
 *
 * @param patience how long to wait for another process to end, in milliseconds
 * @returns what gives it free
 * @throws {DataInUseError}
 */
export function holdLock(path: string, patience = patienceMs): () => void {
  const database = new DatabaseSync(path, { timeout: patience });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (hasCode(error, "ERR_SQLITE_ERROR") && (error as { errcode?: unknown }).errcode === sqliteBusy) {
      throw new DataInUseError(`another process uses the data beside ${path}: stop it first`);
    }
    throw error;
  }
  return () => {
    database.close();
  };
}
