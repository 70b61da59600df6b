import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";
import { ChangeQueue } from "./change-queue.ts";
import { openDatabase, transaction } from "./database.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import { lockedError } from "./locks/locked-error.ts";
import { migrations } from "./schema.ts";
import { Statements } from "./tables/statements.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

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
  private readonly database: DatabaseSync;
  /** Absent where a commit is durable by itself, or nothing is. */
  private readonly log: WriteAheadLog | undefined;
  private readonly changes = new ChangeQueue();
  private emptying: Promise<void> | undefined;

  private constructor(database: DatabaseSync, log: WriteAheadLog | undefined) {
    this.database = database;
    this.statements = new Statements(database);
    this.log = log;
  }

  /** @param path of the database file, or `:memory:` */
  static async open(path: string, clock: Clock, files: FileSystem = nodeFiles): Promise<MetadataDatabase> {
    const database = openDatabase(path, migrations, clock);
    try {
      const { journal_mode: mode } = database.prepare("PRAGMA journal_mode").get() ?? {};
      const log = mode === "wal" ? await WriteAheadLog.open(database, path, files) : undefined;
      return new MetadataDatabase(database, log);
    } catch (error) {
      database.close();
      throw error;
    }
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
    await this.log?.durable();
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
      throw lockedError(error) ?? error;
    }
  }

  private emptyLog(log: WriteAheadLog): Promise<void> {
    this.emptying ??= this.checkpoint(log).finally(() => {
      this.emptying = undefined;
    });
    return this.emptying;
  }

  /** Never rejects: if durability was lost, the next change says so. */
  private async checkpoint(log: WriteAheadLog): Promise<void> {
    this.changes.hold();
    await log.checkpoint().catch(() => undefined);
    this.changes.release();
  }
}
