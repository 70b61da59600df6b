import type { Clock } from "../../../common/clock.ts";
import type { MetadataDatabase } from "../metadata-database.ts";

/** A restart costs no more than a day; less than this is not worth a write. */
const writeIntervalMs = 3_600_000;
/** Time between two processes counts for no more than this. */
const longestGapMs = 86_400_000;

/**
 * For how long somebody has been watching, ever, in milliseconds: what a grace time is measured by, since a clock that
 * was set, or was wrong before a restart, ends none of them early (T58).
 */
export class PruneClock {
  private readonly database: MetadataDatabase;
  private readonly clock: Clock;
  private readonly begun: number;
  private readonly steady: number;
  private kept: number;

  constructor(database: MetadataDatabase, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.steady = clock.steady();
    const row = database.statements.row("SELECT watched, at FROM prune_clock");
    const away = row === undefined ? 0 : clock.now().toMillis() - Number(row.at);
    this.begun = Number(row?.watched ?? 0) + Math.min(Math.max(away, 0), longestGapMs);
    this.kept = this.begun;
  }

  /** Whether it is time to write it down. */
  get stale(): boolean {
    return this.now() - this.kept >= writeIntervalMs;
  }

  now(): number {
    return this.begun + Math.floor(this.clock.steady() - this.steady);
  }

  /** The present, in milliseconds since 1970. */
  present(): number {
    return this.clock.now().toMillis();
  }

  /** Writes it down. For the work of a change. */
  keep(): void {
    this.database.statements.run(
      `INSERT INTO prune_clock (one, watched, at) VALUES (1, ?, ?)
       ON CONFLICT DO UPDATE SET watched = excluded.watched, at = excluded.at`,
      this.now(),
      this.present(),
    );
    this.kept = this.now();
  }
}
