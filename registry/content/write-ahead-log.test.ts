import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../../common/testing/eventually.ts";
import { DatabaseOnSlowDisk } from "./testing/database-on-slow-disk.ts";
import { DurabilityLostError } from "./write-ahead-log.ts";

const lost = { name: DurabilityLostError.name };

describe("the log of the metadata database", () => {
  const on = new DatabaseOnSlowDisk();
  beforeEach(() => on.open());
  afterEach(() => on.close());

  test("empties a long log in the order that power loss demands, while readers go on and changes wait", async () => {
    await on.fillLog();
    const order: string[] = [];
    const changes = ["a", "b", "c"].map((name) => on.add(name).then(() => order.push(name)));
    for (const { step, log } of [
      { step: "datasync db-wal", log: true },
      { step: "sync db", log: true },
      { step: "sync db-wal", log: false },
    ]) {
      await eventually(() => on.disk.running === 1, step);
      expect(on.disk.asked.at(-1)).toBe(step);
      expect((await stat(`${on.path}-wal`)).size > 0).toBe(log);
      expect(on.names()).toEqual([]);
      await expect(on.afterKill()).resolves.toEqual([]);
      on.disk.finish();
    }
    await eventually(() => on.disk.running === 1, "the changes that waited");
    on.disk.slow = false;
    on.disk.finish();
    await Promise.all(changes);
    expect(order).toEqual(["a", "b", "c"]);
    expect(on.names()).toEqual(["a", "b", "c"]);
    expect((await stat(`${on.path}-wal`)).size).toBeLessThan(1024 * 1024);
    await expect(on.afterKill()).resolves.toEqual(["a", "b", "c"]);
  });

  test.each([
    { passed: 0, because: "the log may have lost a commit" },
    { passed: 1, because: "the database may have lost a page" },
    { passed: 2, because: "the log may still be the old one" },
  ])("changes nothing any more when sync $passed of emptying the log fails: $because", async ({ passed }) => {
    await on.fillLog();
    const waiting = Promise.allSettled([on.add("a")]);
    for (let n = 0; n < passed; n++) {
      on.disk.finish();
      await eventually(() => on.disk.running === 1);
    }
    on.disk.finish(new Error("input/output error"));
    await expect(waiting).resolves.toMatchObject([{ status: "rejected", reason: lost }]);
    on.disk.slow = false;
    await expect(on.add("b")).rejects.toMatchObject(lost);
    expect(on.database.failure).toMatchObject({ ...lost, cause: { message: "input/output error" } });
    expect(on.names()).toEqual([]);
  });

  test("leaves a log that another process reads from for later, and loses nothing by that", async () => {
    const reader = new DatabaseSync(on.path, { readOnly: true });
    reader.exec("BEGIN; SELECT count(*) FROM repositories");
    await on.add("a");
    await on.fillLog();
    on.disk.slow = false;
    on.disk.finish();
    await on.add("b");
    expect(on.disk.asked).not.toContain("sync db");
    expect((await stat(`${on.path}-wal`)).size).toBeGreaterThan(4 * 1024 * 1024);
    reader.close();
    await expect(on.afterKill()).resolves.toEqual(["a", "b"]);
  });

  test("lets SQLite sync by itself where the log was copied but could not be emptied", async () => {
    await on.fillLog();
    const reader = new DatabaseSync(on.path, { readOnly: true });
    // It reads all of the log, so all may be copied, but it is still reading.
    reader.exec("BEGIN; SELECT count(*) FROM repositories");
    on.disk.slow = false;
    on.disk.finish();
    await on.add("a");
    expect(on.database.statements.row("PRAGMA synchronous")).toEqual({ synchronous: 2 });
    reader.close();
    await on.add("b");
    await expect(on.afterKill()).resolves.toEqual(["a", "b"]);
    await on.fillLog();
    on.disk.slow = false;
    on.disk.finish();
    await on.add("c");
    expect(on.database.statements.row("PRAGMA synchronous")).toEqual({ synchronous: 0 });
  });
});
