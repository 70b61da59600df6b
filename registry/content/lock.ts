import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Duration } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { hasCode } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";

const sqliteBusy = 5;
/** The data belongs to another process that runs. */
export class DataInUseError extends Error {
  override readonly name = "DataInUseError";
  /** What it calls itself, where it has a name. */
  readonly holder: string | undefined;

  constructor(message: string, holder?: string) {
    super(message);
    this.holder = holder;
  }
}

/** Beside the lock: who holds it. */
const holderFile = "activation.json";
const maxHolder = 253;

/**
 * Makes data ours alone, by a transaction on the file `path` that never ends: the operating system ends it with the
 * process, however that ends, which no file with a process id in it could promise.
 *
 * @param advice what else may be the reason, where locks may not work
 * @param name what we are called to others who want it, such as the name of our pod
 * @returns what gives it free
 * @throws {DataInUseError}
 */
export function holdLock(path: string, advice?: string, name?: string): () => void {
  makeFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (hasCode(error, "ERR_SQLITE_ERROR") && (error as { errcode?: unknown }).errcode === sqliteBusy) {
      const holder = holderOf(path);
      const who = holder === undefined ? "another process" : `another instance, "${holder}",`;
      const text = `${who} uses the data beside ${path}: stop it first`;
      throw new DataInUseError(advice === undefined ? text : `${text}; ${advice}`, holder);
    }
    throw error;
  }
  tellHolder(path, name);
  return () => {
    database.close();
  };
}

/** A courtesy to others: nothing depends on it, and what an earlier holder wrote must not stay. */
function tellHolder(path: string, name: string | undefined): void {
  const file = join(dirname(path), holderFile);
  try {
    rmSync(file, { force: true });
    if (name !== undefined) writeFileSync(file, JSON.stringify({ instance: name }), { mode: 0o600 });
  } catch {
    // The lock is what counts.
  }
}

function holderOf(path: string): string | undefined {
  try {
    const { instance } = JSON.parse(readFileSync(join(dirname(path), holderFile), "utf8")) as {
      readonly instance?: unknown;
    };
    return typeof instance === "string" && instance !== "" ? instance.slice(0, maxHolder) : undefined;
  } catch {
    return undefined;
  }
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
      if (!isInUse(error)) throw error;
      const instance = error.holder;
      if (clock.now() >= giveUpAt) {
        log.error(
          "the registry is already activated by another instance: only one is supported at any time",
          {
            ...{ code: "ALREADY_ACTIVATED", instance },
          },
        );
        throw error;
      }
      if (attempt === 1) log.info("waiting for the process that still uses the data", { instance });
      await clock.sleep(seconds(0.5), signal);
    }
  }
}

/** Whether it is a {@link DataInUseError}. */
export function isInUse(error: unknown): error is DataInUseError {
  return error instanceof DataInUseError;
}
