import { copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MetadataDatabase } from "./metadata-database.ts";
import { SlowDisk } from "./testing/slow-disk.ts";
import { DurabilityLostError } from "./write-ahead-log.ts";

const clock = new ManualClock();
const lost = { name: DurabilityLostError.name };
/** Five of it fill the log. */
const large = Buffer.alloc(900_000, "x");

describe("the metadata database", () => {
  let directory: string;
  let path: string;
  let disk: SlowDisk;
  let database: MetadataDatabase;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "database-"));
    path = join(directory, "registry.db");
    disk = new SlowDisk();
    database = await MetadataDatabase.open(path, clock, disk);
    disk.asked.length = 0;
  });

  afterEach(async () => {
    disk.slow = false;
    disk.finish();
    await database.close();
    await rm(directory, { recursive: true });
  });

  const add = (name: string): Promise<number> =>
    database.change(() => database.statements.run("INSERT INTO repositories (name) VALUES (?)", name));
  const names = (reader: { rows: MetadataDatabase["statements"]["rows"] } = database.statements): unknown[] =>
    reader.rows("SELECT name FROM repositories ORDER BY id").map(({ name }) => name);

  /** What a program sees that starts with the files as they are now. */
  async function afterKill(): Promise<unknown[]> {
    const copy = join(directory, "copy.db");
    for (const end of ["", "-wal"]) await copyFile(`${path}${end}`, `${copy}${end}`);
    const opened = await MetadataDatabase.open(copy, clock);
    try {
      return names(opened.statements);
    } finally {
      await opened.close();
    }
  }

  test("tells of a change only when the disk has it, and lets readers see it before", async () => {
    disk.slow = true;
    const told: string[] = [];
    const change = add("a").then(() => told.push("a"));
    await eventually(() => disk.running === 1);
    expect(names()).toEqual(["a"]);
    expect(told).toEqual([]);
    disk.finish();
    await change;
    expect(disk.asked).toEqual(["datasync db-wal"]);
    await expect(afterKill()).resolves.toEqual(["a"]);
  });

  test("makes all changes durable that wait together with one sync", async () => {
    disk.slow = true;
    const first = add("first");
    await eventually(() => disk.running === 1);
    const rest = Promise.all(Array.from({ length: 100 }, (_, n) => add(`name${n}`)));
    disk.finish();
    await first;
    await eventually(() => disk.running === 1);
    disk.finish();
    await rest;
    expect(disk.asked).toEqual(["datasync db-wal", "datasync db-wal"]);
    expect(names()).toHaveLength(101);
  });

  test("undoes a change that throws, and goes on", async () => {
    const broken = database.change(() => {
      database.statements.run("INSERT INTO repositories (name) VALUES ('half')");
      throw new Error("the other half is missing");
    });
    await expect(broken).rejects.toThrow("the other half is missing");
    await add("a");
    expect(names()).toEqual(["a"]);
  });

  /** Makes the log so long that it is emptied, and waits until the disk works on that. */
  async function fillLog(): Promise<void> {
    const changes = Array.from({ length: 5 }, (_, n) =>
      database.change(() =>
        database.statements.run(
          "INSERT INTO manifest_contents (digest, size, bytes) VALUES (?, 1, ?)",
          `${names().length} ${n}`,
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

  test("empties a long log in the order that power loss demands, while readers go on and changes wait", async () => {
    await fillLog();
    const order: string[] = [];
    const changes = ["a", "b", "c"].map((name) => add(name).then(() => order.push(name)));
    for (const { step, log } of [
      { step: "datasync db-wal", log: true },
      { step: "sync db", log: true },
      { step: "sync db-wal", log: false },
    ]) {
      await eventually(() => disk.running === 1, step);
      expect(disk.asked.at(-1)).toBe(step);
      expect((await stat(`${path}-wal`)).size > 0).toBe(log);
      expect(names()).toEqual([]);
      await expect(afterKill()).resolves.toEqual([]);
      disk.finish();
    }
    await eventually(() => disk.running === 1, "the changes that waited");
    disk.slow = false;
    disk.finish();
    await Promise.all(changes);
    expect(order).toEqual(["a", "b", "c"]);
    expect(names()).toEqual(["a", "b", "c"]);
    expect((await stat(`${path}-wal`)).size).toBeLessThan(1024 * 1024);
    await expect(afterKill()).resolves.toEqual(["a", "b", "c"]);
  });

  test.each([
    { passed: 0, because: "the log may have lost a commit" },
    { passed: 1, because: "the database may have lost a page" },
    { passed: 2, because: "the log may still be the old one" },
  ])("changes nothing any more when sync $passed of emptying the log fails: $because", async ({ passed }) => {
    await fillLog();
    const waiting = Promise.allSettled([add("a")]);
    for (let n = 0; n < passed; n++) {
      disk.finish();
      await eventually(() => disk.running === 1);
    }
    disk.finish(new Error("input/output error"));
    await expect(waiting).resolves.toMatchObject([{ status: "rejected", reason: lost }]);
    disk.slow = false;
    await expect(add("b")).rejects.toMatchObject(lost);
    expect(database.failure).toMatchObject({ ...lost, cause: { message: "input/output error" } });
    expect(names()).toEqual([]);
  });

  test("acknowledges nothing after a sync that failed, even if the next one would not, and leaves the log to the next start", async () => {
    await add("a");
    disk.slow = true;
    const refused = Promise.allSettled([add("b"), database.durable()]);
    await eventually(() => disk.running === 1);
    disk.finish(new Error("input/output error"));
    const refusal = { status: "rejected", reason: lost };
    await expect(refused).resolves.toMatchObject([refusal, refusal]);
    disk.slow = false;
    await expect(add("c")).rejects.toMatchObject(lost);
    await expect(database.durable()).rejects.toMatchObject(lost);
    expect(names()).toEqual(["a", "b"]);
    const before = await readFile(path);
    await database.close();
    await expect(readFile(path)).resolves.toEqual(before);
    expect((await stat(`${path}-wal`)).size).toBeGreaterThan(0);
    database = await MetadataDatabase.open(path, clock, disk);
    expect(names()).toEqual(["a", "b"]);
    await add("c");
  });

  test("syncs what an earlier process left, before anything else, and takes it into the database", async () => {
    await add("a");
    const copy = join(directory, "copy.db");
    for (const end of ["", "-wal"]) await copyFile(`${path}${end}`, `${copy}${end}`);
    disk.asked.length = 0;
    const opened = await MetadataDatabase.open(copy, clock, disk);
    expect(disk.asked.slice(0, 3)).toEqual(["sync db-wal", "sync db", "sync dir"]);
    expect((await stat(`${copy}-wal`)).size).toBe(0);
    expect(names(opened.statements)).toEqual(["a"]);
    await opened.close();
  });

  test("does not open when the disk cannot keep it, and opens when it can again", async () => {
    disk.slow = true;
    const opening = MetadataDatabase.open(join(directory, "other.db"), clock, disk);
    await eventually(() => disk.running === 1);
    disk.finish(new Error("input/output error"));
    await expect(opening).rejects.toMatchObject(lost);
    disk.slow = false;
    await (await MetadataDatabase.open(join(directory, "other.db"), clock, disk)).close();
  });

  test("leaves a log that another process reads from for later, and loses nothing by that", async () => {
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec("BEGIN; SELECT count(*) FROM repositories");
    await add("a");
    await fillLog();
    disk.slow = false;
    disk.finish();
    await add("b");
    expect(disk.asked).not.toContain("sync db");
    expect((await stat(`${path}-wal`)).size).toBeGreaterThan(4 * 1024 * 1024);
    reader.close();
    await expect(afterKill()).resolves.toEqual(["a", "b"]);
  });

  test("lets SQLite sync by itself where the log was copied but could not be emptied", async () => {
    await fillLog();
    const reader = new DatabaseSync(path, { readOnly: true });
    // It reads all of the log, so all may be copied, but it is still reading.
    reader.exec("BEGIN; SELECT count(*) FROM repositories");
    disk.slow = false;
    disk.finish();
    await add("a");
    expect(database.statements.row("PRAGMA synchronous")).toEqual({ synchronous: 2 });
    reader.close();
    await add("b");
    await expect(afterKill()).resolves.toEqual(["a", "b"]);
    await fillLog();
    disk.slow = false;
    disk.finish();
    await add("c");
    expect(database.statements.row("PRAGMA synchronous")).toEqual({ synchronous: 0 });
  });

  test("keeps the log and nothing else of the process's locks: another process cannot take it for abandoned", async () => {
    await add("a");
    const other = new DatabaseSync(path);
    other.exec("SELECT count(*) FROM repositories");
    other.close();
    expect((await stat(`${path}-wal`)).size).toBeGreaterThan(0);
  });

  test("has everything in one file after it was closed", async () => {
    await add("a");
    await database.close();
    await expect(stat(`${path}-wal`)).rejects.toMatchObject({ code: "ENOENT" });
    database = await MetadataDatabase.open(path, clock, disk);
    expect(names()).toEqual(["a"]);
  });
});

describe("the metadata database in memory", () => {
  test("has nothing to sync", async () => {
    const database = await MetadataDatabase.open(":memory:", clock);
    await database.change(() => database.statements.run("INSERT INTO repositories (name) VALUES ('a')"));
    await database.durable();
    expect(database.statements.rows("SELECT name FROM repositories")).toHaveLength(1);
    await database.close();
  });
});
