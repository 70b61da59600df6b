import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { closeAsItIs, openFiles } from "./database-files.ts";
import { syncDirectory, type FileSystem } from "./files.ts";
import { GroupSync } from "./group-sync.ts";
import { isStorageFull } from "./quota.ts";

/** How long the log may get, in bytes. What is in it is copied to the database at once, on the main thread. */
const checkpointBytes = 4 * 1024 * 1024;

/**
 * A write failed to reach the disk. What the disk holds is unknown from then on, and asking again proves nothing, since the
 * system forgets what it could not write: nothing is acknowledged until a restart has read the disk anew.
 */
export class DurabilityLostError extends Error {
  override readonly name = "DurabilityLostError";
}

/**
 * Makes the commits of a database durable without making the main thread wait for the disk.
 *
 * SQLite only writes (`synchronous = OFF`); what it would sync while it commits is synced here, on other threads:
 * - A commit lies in the log, behind all earlier ones; it is durable after `fdatasync` of the log.
 * - A checkpoint, in which no change may happen: sync the log → copy it to the database → sync the database → empty the
 *   log → sync the log. So the database is never ahead of a durable log, and the log is never written from its beginning
 *   while the disk may still hold an older one: frames of both could be taken for one log.
 *
 * # Caveats
 * The files stay open until the database is closed: closing any handle of the database file makes the process lose the locks
 * that SQLite has on it.
 */
export class WriteAheadLog {
  private readonly database: DatabaseSync;
  private readonly path: string;
  private readonly main: FileHandle;
  private readonly log: FileHandle;
  private readonly group: GroupSync;
  private lost: DurabilityLostError | undefined;
  /** From which size on a checkpoint is worth while. */
  private wanted = checkpointBytes;
  private bytes = 0;

  private constructor(database: DatabaseSync, path: string, main: FileHandle, log: FileHandle) {
    this.database = database;
    this.path = path;
    this.main = main;
    this.log = log;
    this.group = new GroupSync(() =>
      this.reach(async () => {
        await log.datasync();
        this.bytes = (await log.stat()).size;
      }),
    );
  }

  /**
   * Takes over a database that is open with `synchronous = FULL` in WAL mode; closes it if this fails. What an earlier
   * process left in the log is in the database then, durably.
   */
  static async open(database: DatabaseSync, path: string, files: FileSystem): Promise<WriteAheadLog> {
    const [main, log] = await openFiles(database, path, files);
    const opened = new WriteAheadLog(database, path, main, log);
    try {
      database.exec("PRAGMA wal_autocheckpoint = 0");
      // An earlier process may have written what it never synced.
      await opened.reach(() => log.sync());
      await opened.reach(() => main.sync());
      await opened.reach(() => syncDirectory(files, dirname(path)));
      await opened.checkpoint();
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** The database file, which only a checkpoint changes. */
  get file(): Pick<FileHandle, "read"> {
    return this.main;
  }

  /** What ended it. */
  get failure(): DurabilityLostError | undefined {
    return this.lost;
  }

  /** Whether the log is long enough for a checkpoint. */
  get full(): boolean {
    return this.bytes > this.wanted;
  }

  /** Resolves when everything that was committed is durable. @throws {DurabilityLostError} */
  durable(): Promise<void> {
    return this.group.after();
  }

  /**
   * Copies the log to the database and empties it, or leaves that for later if another process still reads from it or the
   * disk is full. Nothing may be committed meanwhile.
   *
   * @returns whether the database file has everything now
   * @throws {DurabilityLostError}
   */
  async checkpoint(): Promise<boolean> {
    await this.durable();
    this.wanted = this.bytes + checkpointBytes;
    if (!this.copy("PASSIVE")) return false;
    await this.reach(() => this.main.sync());
    // Where the log could not be emptied SQLite may begin it anew at any commit, and has to sync that itself.
    const emptied = this.copy("TRUNCATE");
    this.database.exec(`PRAGMA synchronous = ${emptied ? "OFF" : "FULL"}`);
    if (!emptied) return true;
    await this.reach(() => this.log.sync());
    this.bytes = 0;
    this.wanted = checkpointBytes;
    return true;
  }

  /** Closes the database as well. Everything that was committed is durable then, unless durability was lost. */
  async close(): Promise<void> {
    if (this.lost !== undefined) {
      await closeAsItIs(this.database, this.path, [this.main, this.log]);
      return;
    }
    this.database.exec("PRAGMA synchronous = FULL");
    this.database.close();
    await this.main.close();
    await this.log.close();
  }

  /** Whether all of the log was copied. */
  private copy(mode: "PASSIVE" | "TRUNCATE"): boolean {
    try {
      // Emptying the log would wait, on the main thread, for others that read from it.
      this.database.exec("PRAGMA busy_timeout = 0");
      const row = this.database.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
      return row?.busy === 0 && row.log === row.checkpointed;
    } catch (error) {
      if (isStorageFull(error)) return false;
      throw this.fail(error);
    } finally {
      this.database.exec("PRAGMA busy_timeout = 5000");
    }
  }

  /** Lets what was written reach the disk. */
  private async reach(sync: () => Promise<void>): Promise<void> {
    this.demand();
    try {
      await sync();
    } catch (error) {
      throw this.fail(error);
    }
    // Another sync may have failed meanwhile, and the system tells that only once.
    this.demand();
  }

  private demand(): void {
    if (this.lost !== undefined) throw this.lost;
  }

  private fail(cause: unknown): DurabilityLostError {
    this.lost ??= new DurabilityLostError("a write did not reach the disk: restart when the disk works", {
      cause,
    });
    return this.lost;
  }
}
