import type { MetadataDatabase } from "../metadata-database.ts";

/** One scrub of everything. Times are milliseconds since 1970. */
export interface ScrubProgress {
  readonly begunAt: number;
  /** Absent while it goes on. */
  readonly endedAt?: number;
  /** Every blob in a row up to this one was looked at. */
  readonly checkedTo: number;
  readonly blobs: number;
  readonly bytes: number;
  /** How many were damaged or gone. */
  readonly found: number;
}

/** Keeps how far a scrub has come, also across restarts. */
export class ScrubJournal {
  private readonly database: MetadataDatabase;

  constructor(database: MetadataDatabase) {
    this.database = database;
  }

  /** The last scrub; `undefined` before the first. */
  read(): ScrubProgress | undefined {
    const row = this.database.statements.row("SELECT * FROM scrub");
    if (row === undefined) return undefined;
    return {
      begunAt: Number(row.begun_at),
      ...(row.ended_at === null ? {} : { endedAt: Number(row.ended_at) }),
      checkedTo: Number(row.checked_to),
      blobs: Number(row.blobs),
      bytes: Number(row.bytes),
      found: Number(row.found),
    };
  }

  write({ begunAt, endedAt, checkedTo, blobs, bytes, found }: ScrubProgress): Promise<void> {
    return this.database.change(() => {
      this.database.statements.run(
        `INSERT INTO scrub (one, begun_at, ended_at, checked_to, blobs, bytes, found) VALUES (1, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET begun_at = excluded.begun_at, ended_at = excluded.ended_at,
           checked_to = excluded.checked_to, blobs = excluded.blobs, bytes = excluded.bytes, found = excluded.found`,
        begunAt,
        endedAt,
        checkedTo,
        blobs,
        bytes,
        found,
      );
    });
  }
}
