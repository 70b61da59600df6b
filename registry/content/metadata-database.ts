import type { FileHandle } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";
import { ChangeQueue } from "./change-queue.ts";
import { openDatabase, transaction } from "./database.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import { lockedError } from "./locks/locked-error.ts";
import { DatabaseHealth } from "./rescue/health.ts";
import { migrations } from "./schema.ts";
import { Statements } from "./tables/statements.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

/** The database cannot be copied now: somebody else reads it, or the disk is full. Later it may be possible. */
export class DatabaseBusyError extends Error {
  override readonly name = "DatabaseBusyError";
}

/**
 * The database of all metadata, which each subject (names and links, locks, garbage, …) shares with its own class.
 *
 * # Guarantees
 * - A change is one transaction: readers see it whole or not at all. Once its promise resolves it survives power loss.
 * - Changes happen one after another, in the order in which they were asked for.
 * # Caveats
 * A reader may see a change that is not durable yet. Whoever acts on what it reads outside the database (removes a file, tells
 * another machine) waits for a change of its own first: what was durable then implies everything earlier.
 */
export class MetadataDatabase {
  /** For reading. Only the work of a change may write. */
  readonly statements: Statements;
  readonly health = new DatabaseHealth();
  private readonly database: DatabaseSync;
  /** Absent where a commit is durable by itself, or nothing is. */
  private readonly log: WriteAheadLog | undefined;
  private readonly changes = new ChangeQueue();
  private emptying: Promise<void> | undefined;
  private commits = 0;

  private constructor(database: DatabaseSync, log: WriteAheadLog | undefined) {
    this.database = database;
    this.statements = new Statements(database, this.health);
    this.log = log;
  }

  /** @param path of the database file, or `:memory:` @param alone see `openDatabase` */
  static async open(
    path: string,
    clock: Clock,
    files: FileSystem = nodeFiles,
    alone = false,
  ): Promise<MetadataDatabase> {
    const database = openDatabase(path, migrations, clock, alone);
    const { journal_mode: mode } = database.prepare("PRAGMA journal_mode").get() ?? {};
    const log = mode === "wal" ? await WriteAheadLog.open(database, path, files) : undefined;
    return new MetadataDatabase(database, log);
  }

  /** Grows with every change that readers may see: what was read at one number holds as long as the number stays. */
  get generation(): number {
    return this.commits;
  }

  /** Why nothing can be changed any more until a restart; `undefined` while it can. */
  get failure(): Error | undefined {
    return this.log?.failure;
  }

  /**
   * Resolves when what `work` changed is durable. If `work` throws, nothing was changed.
   *
   * @throws {ContentLockedError} if `work` changes what is locked
   * @throws {DurabilityLostError} if it may not be durable: readers may see it nevertheless
   */
  async change<T>(work: () => T): Promise<T> {
    const result = await this.changes.run(() => this.commit(work));
    await this.durable();
    if (this.log?.full === true) void this.emptyLog(this.log);
    return result;
  }

  /** Resolves when everything that can be read now is durable. @throws {DurabilityLostError} */
  async durable(): Promise<void> {
    try {
      await this.log?.durable();
    } catch (error) {
      this.health.lost();
      throw error;
    }
  }

  /**
   * Runs `work` on the database file, which meanwhile holds everything that was committed before and does not change: what
   * is committed from now on stays in the log, which grows until `work` has ended.
   *
   * @throws {DatabaseBusyError} if not everything could be brought into the file
   * @throws {DurabilityLostError}
   */
  async still<T>(work: (file: Pick<FileHandle, "read">) => Promise<T>): Promise<T> {
    while (this.emptying !== undefined) await this.emptying;
    const { log } = this;
    if (log === undefined) throw new DatabaseBusyError("the database has no file that could be copied");
    const working = this.checkpoint(log).then((complete) => {
      if (!complete)
        throw this.failure ?? new DatabaseBusyError("not all of the log could be brought into the database");
      return work(log.file);
    });
    this.emptying = working
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.emptying = undefined;
      });
    return await working;
  }

  /** No change may be under way, and nothing may follow. */
  async close(): Promise<void> {
    await this.emptying;
    if (this.log === undefined) this.database.close();
    else await this.log.close();
  }

  private commit<T>(work: () => T): T {
    if (this.failure !== undefined) throw this.failure;
    try {
      return transaction(this.database, work);
    } catch (error) {
      this.health.notice(error);
      throw lockedError(error) ?? error;
    } finally {
      this.commits++;
    }
  }

  private emptyLog(log: WriteAheadLog): Promise<void> {
    this.emptying ??= this.checkpoint(log).then(() => {
      this.emptying = undefined;
    });
    return this.emptying;
  }

  /**
   * Never rejects: if durability was lost, `health` tells, and the next change says so.
   *
   * @returns whether the database file has everything now
   */
  private async checkpoint(log: WriteAheadLog): Promise<boolean> {
    this.changes.hold();
    const complete = await log.checkpoint().catch(() => {
      this.health.lost();
      return false;
    });
    this.changes.release();
    return complete;
  }
}
