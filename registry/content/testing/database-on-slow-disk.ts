import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { MetadataDatabase } from "../metadata-database.ts";
import { SlowDisk } from "./slow-disk.ts";

/** Five of it fill the log. */
const large = Buffer.alloc(900_000, "x");

/** What was added to a database, in order. */
export function namesIn({ statements }: MetadataDatabase): unknown[] {
  return statements.rows("SELECT name FROM repositories ORDER BY id").map(({ name }) => name);
}

/** A database, new in each test, on a disk that syncs when the test says so. */
export class DatabaseOnSlowDisk {
  readonly clock = new ManualClock();
  disk = new SlowDisk();
  directory = "";
  private opened: MetadataDatabase | undefined;

  async open(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), "database-"));
    this.disk = new SlowDisk();
    await this.reopen();
    this.disk.asked.length = 0;
  }

  async close(): Promise<void> {
    this.disk.slow = false;
    this.disk.finish();
    await this.opened?.close();
    await rm(this.directory, { recursive: true });
  }

  /** Opens the database again, after it was closed. */
  async reopen(): Promise<void> {
    this.opened = await MetadataDatabase.open(this.path, this.clock, this.disk);
  }

  get path(): string {
    return join(this.directory, "registry.db");
  }

  get database(): MetadataDatabase {
    if (this.opened === undefined) throw new Error("the database is open only within a test");
    return this.opened;
  }

  add(name: string): Promise<number> {
    const { statements } = this.database;
    return this.database.change(() => statements.run("INSERT INTO repositories (name) VALUES (?)", name));
  }

  names(): unknown[] {
    return namesIn(this.database);
  }

  /** What a program sees that starts with the files as they are now. */
  async afterKill(): Promise<unknown[]> {
    const copy = join(this.directory, "copy.db");
    for (const end of ["", "-wal"]) await copyFile(`${this.path}${end}`, `${copy}${end}`);
    const opened = await MetadataDatabase.open(copy, this.clock);
    try {
      return namesIn(opened);
    } finally {
      await opened.close();
    }
  }

  /** Makes the log so long that it is emptied, and waits until the disk works on that. */
  async fillLog(): Promise<void> {
    const { database, disk } = this;
    const changes = Array.from({ length: 5 }, (_, n) =>
      database.change(() =>
        database.statements.run(
          "INSERT INTO manifest_contents (digest, size, bytes) VALUES (?, 1, ?)",
          `${this.names().length} ${n}`,
          large,
        ),
      ),
    );
    disk.slow = true;
    await eventually(() => disk.running === 1, "the sync of what fills the log");
    disk.asked.length = 0;
    disk.finish();
    await Promise.all(changes);
    await eventually(() => disk.running === 1, "the sync of what fills the log, before it is emptied");
  }
}
