import type { MetadataDatabase } from "../metadata-database.ts";
import { markRestored } from "./restored.ts";

/**
 * How far the outbox has come: a number that grows with every change that comes to wait and with every one that is done.
 * Whoever was told a greater one than it is now knows that this database is an older state of itself: a backup of the
 * volume was put back.
 */
export class OutboxCourse {
  private readonly database: MetadataDatabase;

  constructor(database: MetadataDatabase) {
    this.database = database;
  }

  get count(): number {
    const row = this.database.statements.row("SELECT settled FROM outbox_course");
    return this.lastId + Number(row?.settled ?? 0);
  }

  /** Of all entries that there ever were. */
  get lastId(): number {
    const row = this.database.statements.row("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    return Number(row?.seq ?? 0);
  }

  /** An entry is done. For the transaction that removes it. */
  settled(): void {
    this.database.statements.run("UPDATE outbox_course SET settled = settled + 1");
  }

  /**
   * It had come as far as `count` before: the entries up to `lastId` are from a backup. Goes on from `count`.
   *
   * @returns whether that was so
   */
  async putBack(count: number, lastId: number): Promise<boolean> {
    if (count <= this.count) return false;
    await this.database.change(() => {
      markRestored(this.database.statements, lastId);
      const missing = count - this.count;
      this.database.statements.run("UPDATE outbox_course SET settled = settled + ?", missing);
    });
    return true;
  }
}
