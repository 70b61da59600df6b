import { hasCode } from "../../../common/errors.ts";

/** The database cannot be trusted any more. Whoever opens the content next replaces it by its backup. */
export class DatabaseDamagedError extends Error {
  override readonly name = "DatabaseDamagedError";
}

/** Primary result codes of SQLite; the extended ones have them in their lowest byte. */
const sqlite = { ioerr: 10, corrupt: 11, notADatabase: 26 } as const;
/** PERM, BUSY, LOCKED, NOMEM, INTERRUPT, FULL, CANTOPEN, AUTH. */
const circumstances: readonly number[] = [3, 5, 6, 7, 9, 13, 14, 23];

/**
 * What an error of the database says about its file: `damaged` leaves no doubt; after `suspect`, a read or write that the
 * disk refused, only a check can tell; anything else (a full disk, a lock, a wrong statement) says nothing.
 */
export function evidenceOf(error: unknown): "damaged" | "suspect" | "none" {
  const primary = primaryCode(error);
  if (primary === sqlite.corrupt || primary === sqlite.notADatabase) return "damaged";
  return primary === sqlite.ioerr ? "suspect" : "none";
}

/** Whether the database could not be looked at for a reason that lies elsewhere: permissions, locks, memory, room, no file. */
export function isCircumstance(error: unknown): boolean {
  return circumstances.includes(primaryCode(error) ?? -1);
}

function primaryCode(error: unknown): number | undefined {
  if (!hasCode(error, "ERR_SQLITE_ERROR")) return undefined;
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}
