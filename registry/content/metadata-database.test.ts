import { copyFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MetadataDatabase } from "./metadata-database.ts";
import { DatabaseOnSlowDisk, namesIn } from "./testing/database-on-slow-disk.ts";
import { DurabilityLostError } from "./write-ahead-log.ts";

const lost = { name: DurabilityLostError.name };

describe("the metadata database", () => {
  const on = new DatabaseOnSlowDisk();
  beforeEach(() => on.open());
  afterEach(() => on.close());

  test("tells of a change only when the disk has it, and lets readers see it before", async () => {
    on.disk.slow = true;
    const told: string[] = [];
    const change = on.add("a").then(() => told.push("a"));
    await eventually(() => on.disk.running === 1);
    expect(on.names()).toEqual(["a"]);
    expect(told).toEqual([]);
    on.disk.finish();
    await change;
    expect(on.disk.asked).toEqual(["datasync db-wal"]);
    await expect(on.afterKill()).resolves.toEqual(["a"]);
  });

  test("makes all changes durable that wait together with one sync", async () => {
    on.disk.slow = true;
    const first = on.add("first");
    await eventually(() => on.disk.running === 1);
    const rest = Promise.all(Array.from({ length: 100 }, (_, n) => on.add(`name${n}`)));
    on.disk.finish();
    await first;
    await eventually(() => on.disk.running === 1);
    on.disk.finish();
    await rest;
    expect(on.disk.asked).toEqual(["datasync db-wal", "datasync db-wal"]);
    expect(on.names()).toHaveLength(101);
  });

  test("undoes a change that throws, and goes on", async () => {
    const broken = on.database.change(() => {
      on.database.statements.run("INSERT INTO repositories (name) VALUES ('half')");
      throw new Error("the other half is missing");
    });
    await expect(broken).rejects.toThrow("the other half is missing");
    await on.add("a");
    expect(on.names()).toEqual(["a"]);
  });

  test("acknowledges nothing after a sync that failed, even if the next one would not, and leaves the log to the next start", async () => {
    await on.add("a");
    on.disk.slow = true;
    const refused = Promise.allSettled([on.add("b"), on.database.durable()]);
    await eventually(() => on.disk.running === 1);
    on.disk.finish(new Error("input/output error"));
    const refusal = { status: "rejected", reason: lost };
    await expect(refused).resolves.toMatchObject([refusal, refusal]);
    on.disk.slow = false;
    await expect(on.add("c")).rejects.toMatchObject(lost);
    await expect(on.database.durable()).rejects.toMatchObject(lost);
    expect(on.names()).toEqual(["a", "b"]);
    const before = await readFile(on.path);
    await on.database.close();
    await expect(readFile(on.path)).resolves.toEqual(before);
    expect((await stat(`${on.path}-wal`)).size).toBeGreaterThan(0);
    await on.reopen();
    expect(on.names()).toEqual(["a", "b"]);
    await on.add("c");
  });

  test("syncs what an earlier process left, before anything else, and takes it into the database", async () => {
    await on.add("a");
    const copy = join(on.directory, "copy.db");
    for (const end of ["", "-wal"]) await copyFile(`${on.path}${end}`, `${copy}${end}`);
    on.disk.asked.length = 0;
    const opened = await MetadataDatabase.open(copy, on.clock, on.disk);
    expect(on.disk.asked.slice(0, 3)).toEqual(["sync db-wal", "sync db", "sync dir"]);
    expect((await stat(`${copy}-wal`)).size).toBe(0);
    expect(namesIn(opened)).toEqual(["a"]);
    await opened.close();
  });

  test("does not open when the disk cannot keep it, and opens when it can again", async () => {
    on.disk.slow = true;
    const opening = MetadataDatabase.open(join(on.directory, "other.db"), on.clock, on.disk);
    await eventually(() => on.disk.running === 1);
    on.disk.finish(new Error("input/output error"));
    await expect(opening).rejects.toMatchObject(lost);
    on.disk.slow = false;
    await (await MetadataDatabase.open(join(on.directory, "other.db"), on.clock, on.disk)).close();
  });

  test("keeps the log and nothing else of the process's locks: another process cannot take it for abandoned", async () => {
    await on.add("a");
    const other = new DatabaseSync(on.path);
    other.exec("SELECT count(*) FROM repositories");
    other.close();
    expect((await stat(`${on.path}-wal`)).size).toBeGreaterThan(0);
  });

  test("has everything in one file after it was closed", async () => {
    await on.add("a");
    await on.database.close();
    await expect(stat(`${on.path}-wal`)).rejects.toMatchObject({ code: "ENOENT" });
    await on.reopen();
    expect(on.names()).toEqual(["a"]);
  });
});

describe("the metadata database in memory", () => {
  test("has nothing to sync", async () => {
    const database = await MetadataDatabase.open(":memory:", new ManualClock());
    await database.change(() => database.statements.run("INSERT INTO repositories (name) VALUES ('a')"));
    await database.durable();
    expect(database.statements.rows("SELECT name FROM repositories")).toHaveLength(1);
    await database.close();
  });
});
