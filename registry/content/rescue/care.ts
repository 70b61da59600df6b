import { seconds, type Clock } from "../../../common/clock.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import type { Service } from "../../../common/service.ts";
import { DatabaseBusyError } from "../metadata-database.ts";
import { backupDue } from "./backup-due.ts";
import type { Checkup } from "./checkup.ts";
import { DatabaseDamagedError } from "./damage.ts";
import type { KeptDatabase } from "./open-database.ts";
import { damagedRecord, writeRecord } from "./record.ts";

export interface CareParts {
  readonly kept: KeptDatabase;
  readonly metrics: CareMetrics;
  /** Whether the volume has room for so many bytes. */
  readonly hasRoom: (bytes: number) => boolean;
  /** Told what the check of each copy found. */
  readonly checked: (checkup: Checkup) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the care of the database counts. */
export interface CareMetrics {
  /** A copy was made, or not. */
  copied(outcome: "succeeded" | "failed"): void;
  /** What there is now. @param takenAt of the newest, in seconds since 1970 */
  kept(bytes: number, takenAt: number): void;
}

const interval = seconds(60);

/**
 * Keeps verified copies of the database, and notices when the database itself is damaged: by an error of a statement, or by a copy
 * that is not sound. Then it rejects with `DatabaseDamagedError`, and has left word that whoever opens the content next
 * replaces the database. After a write that did not reach the disk it rejects with `DurabilityLostError`: nothing can be stored any
 * more, and only a new process can find out what the disk has.
 */
export class DatabaseCare implements Service {
  readonly name = "database";
  private readonly parts: CareParts;
  private changesAtCopy = 0;
  private first = true;
  private copying: Promise<void> | undefined;

  constructor(parts: CareParts) {
    this.parts = parts;
  }

  /** Not any more once a write failed to reach the disk. */
  ready(): boolean {
    return this.parts.kept.database.failure === undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const { health } = this.parts.kept.database;
    await this.account();
    for (;;) {
      const worse = new AbortController();
      health.whenWorse(() => {
        worse.abort();
      });
      await clock.sleep(interval, AbortSignal.any([signal, worse.signal])).catch(() => undefined);
      if (signal.aborted) return;
      const { failure } = this.parts.kept.database;
      if (failure !== undefined) {
        this.parts.log.error("nothing can be stored any more: the process ends", { error: failure });
        throw failure;
      }
      if (health.state === "damaged") await this.fail(health.reason);
      if (health.state === "suspect" || (await this.isDue())) await this.copy(signal);
    }
  }

  /**
   * Makes a copy now, and so checks the whole database; or waits for one that is just being made. Makes none where there is no
   * room for it.
   *
   * @throws {DatabaseDamagedError}
   */
  copy(signal: AbortSignal): Promise<void> {
    this.copying ??= this.copyNow(signal).finally(() => {
      this.copying = undefined;
    });
    return this.copying;
  }

  private async copyNow(signal: AbortSignal): Promise<void> {
    const { kept, metrics, checked, hasRoom, log } = this.parts;
    const bytes = this.size();
    if (!hasRoom(bytes)) {
      log.warn("there is no room for a copy of the database: make some", { bytes });
      return;
    }
    const { database, backups } = kept;
    const changes = this.changes();
    const { health } = database;
    try {
      const checkup = await backups.take(database, signal);
      this.changesAtCopy = changes;
      this.first = false;
      health.cleared();
      metrics.copied("succeeded");
      await checked(checkup);
    } catch (error) {
      if (signal.aborted) return;
      metrics.copied("failed");
      if (error instanceof DatabaseDamagedError) await this.fail(messageOf(error));
      if (error instanceof DatabaseBusyError)
        log.warn("the database is copied later", { reason: error.message });
      else log.error("the database could not be copied: there is no newer backup", { error });
    } finally {
      await this.account();
    }
  }

  private async isDue(): Promise<boolean> {
    const { kept, clock } = this.parts;
    const [newest] = await kept.backups.list();
    const facts = { changes: this.changes() - this.changesAtCopy, first: this.first };
    return backupDue(newest === undefined ? facts : { ...facts, takenAt: newest.takenAt }, clock.now());
  }

  private async fail(reason: string): Promise<never> {
    const { kept, clock, log } = this.parts;
    log.error("the database is damaged, and will be replaced by its backup", { reason });
    await writeRecord(kept.directory, damagedRecord(clock.now().toISO(), reason));
    throw new DatabaseDamagedError(reason);
  }

  private async account(): Promise<void> {
    const backups = await this.parts.kept.backups.list();
    const bytes = backups.reduce((sum, { size }) => sum + size, 0);
    this.parts.metrics.kept(bytes, backups[0]?.takenAt.toSeconds() ?? 0);
  }

  private changes(): number {
    return Number(this.parts.kept.database.statements.row("SELECT total_changes() AS n")?.n);
  }

  private size(): number {
    const row = this.parts.kept.database.statements.row(
      "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
    );
    return Number(row?.bytes);
  }
}
