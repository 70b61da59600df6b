import { hasCode } from "../../common/errors.ts";
import { OciError } from "../../common/oci/errors.ts";

/**
 * The registry's own bound on what it stores, since many volume types do not enforce their size. Counts what is stored and
 * what is on its way in.
 */
export class Quota {
  private readonly limit: () => number | undefined;
  private stored: number;
  private incoming: number;

  /** @param limit in bytes, asked anew each time; `undefined`: none */
  constructor(limit: () => number | undefined, stored: number, incoming: number) {
    this.limit = limit;
    this.stored = stored;
    this.incoming = incoming;
  }

  /** @throws {OciError} `STORAGE_FULL` if `bytes` more would be too many; then they do not count */
  take(bytes: number): void {
    const limit = this.limit();
    if (limit !== undefined && this.stored + this.incoming + bytes > limit) {
      throw new OciError("STORAGE_FULL", {
        message: `the registry's storage quota of ${limit} bytes is used up`,
      });
    }
    this.incoming += bytes;
  }

  /** `bytes` that were taken are no longer on their way; `stored` is what is stored now. */
  settle(bytes: number, stored = this.stored): void {
    this.incoming -= bytes;
    this.stored = stored;
  }
}

const sqliteFull = 13;

/** Whether `error` says that the disk, or our share of it, is full. */
export function isStorageFull(error: unknown): boolean {
  if (hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT")) return true;
  return (
    hasCode(error, "ERR_SQLITE_ERROR") && (error as { readonly errcode?: unknown }).errcode === sqliteFull
  );
}
