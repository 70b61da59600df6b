import { hasCode } from "../../../common/errors.ts";

/** The database cannot be trusted any more. Whoever opens the content next replaces it by its backup. */
export class DatabaseDamagedError extends Error {
  override readonly name = "DatabaseDamagedError";
}

/** Primary result codes of SQLite; the extended ones have them in their lowest byte. */
const sqlite = { ioerr: 10, corrupt: 11, notADatabase: 26 } as const;

/**
 * What an error of the database says about its file: `damaged` leaves no doubt; after `suspect`, a read or write that the
 * disk refused, only a check can tell; anything else (a full disk, a lock, a wrong statement) says nothing.
 */
export function evidenceOf(error: unknown): "damaged" | "suspect" | "none" {
  if (!hasCode(error, "ERR_SQLITE_ERROR")) return "none";
  const { errcode } = error as { readonly errcode?: unknown };
  if (typeof errcode !== "number") return "none";
  const primary = errcode & 0xff;
  if (primary === sqlite.corrupt || primary === sqlite.notADatabase) return "damaged";
  return primary === sqlite.ioerr ? "suspect" : "none";
}
