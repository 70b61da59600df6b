import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, seconds } from "../../../common/clock.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { openContent, type RegistryContent } from "../content.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
import { item, repository, streamOf } from "../testing/images.ts";
import { backupDue } from "./backup-due.ts";
import { DatabaseCare } from "./care.ts";
import type { DatabaseCheck } from "./check-in-child.ts";
import { checkDatabase, type Checkup } from "./checkup.ts";
import { DatabaseDamagedError } from "./damage.ts";
import { readRecord } from "./record.ts";

describe("a copy of the database is due", () => {
  const now = new ManualClock("2026-06-10T12:00:00Z").now();
  test.each([
    { ago: undefined, changes: 0, first: true, due: true, because: "there is none" },
    { ago: undefined, changes: 0, first: false, due: false, because: "nothing ever happened" },
    { ago: 25 * 60, changes: 1, first: false, due: true, because: "daily, when something changed" },
    { ago: 25 * 60, changes: 0, first: false, due: false, because: "nothing changed" },
    { ago: 25 * 60, changes: 0, first: true, due: true, because: "nobody knows what the last process did" },
    { ago: 11, changes: 1_000, first: false, due: true, because: "much changed" },
    { ago: 9, changes: 1_000, first: false, due: false, because: "not again so soon" },
    { ago: 60, changes: 999, first: false, due: false, because: "little changed" },
    { ago: -60, changes: 1, first: false, due: true, because: "the clock was set back" },
  ])("$because: $due", ({ ago, changes, first, due }) => {
    const facts = { changes, first, ...(ago === undefined ? {} : { takenAt: now.minus({ minutes: ago }) }) };
    expect(backupDue(facts, now)).toBe(due);
  });
});

describe("the care of a database", () => {
  const minute = seconds(60);
  let directory: string;
  let clock: ManualClock;
  let content: RegistryContent;
  let findings: Checkup | undefined;
  let check: DatabaseCheck;
  let fails: boolean;
  let room: boolean;
  let checked: number;
  let copied: string[];
  let care: DatabaseCare;
  let stop: AbortController;
  let running: Promise<unknown>;

  const openFailing: FileSystem["open"] = async (...opened) => {
    const handle = await nodeFiles.open(...opened);
    const sync = handle.datasync.bind(handle);
    return Object.assign(handle, {
      datasync: () => (fails ? Promise.reject(new Error("input/output error")) : sync()),
    });
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "care-"));
    clock = new ManualClock();
    findings = undefined;
    check = (path) => Promise.resolve(findings ?? checkDatabase(path));
    fails = false;
    room = true;
    checked = 0;
    copied = [];
    content = await openContent(
      directory,
      {
        clock,
        newId: randomUUID,
        quota: () => undefined,
        checkDatabase: (path) => check(path),
      },
      { ...nodeFiles, open: openFailing },
    );
    const { kept } = content;
    if (kept === undefined) throw new Error("content on a disk has a kept database");
    care = new DatabaseCare({
      kept,
      metrics: { copied: (outcome) => copied.push(outcome), kept: () => undefined },
      hasRoom: () => room,
      checked: () => {
        checked++;
        return Promise.resolve();
      },
      clock,
      log: silentLog,
    });
    stop = new AbortController();
    running = care.run(stop.signal).catch((error: unknown) => error);
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await content.close();
    await rm(directory, { recursive: true });
  });

  const push = async (text: string): Promise<void> => {
    const blob = item(text);
    await content.open(repository("a")).push(blob.descriptor, streamOf(blob));
  };

  const passes = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await eventually(() => clock.sleeping > 0, "the care to rest");
      await clock.advance(minute);
    }
    await eventually(() => clock.sleeping > 0, "the care to rest");
  };

  const names = async (): Promise<readonly string[]> => readdir(join(directory, "backups")).catch(() => []);

  test("is a checked copy soon after the first start, then daily, and not more than two", async () => {
    await push("one");
    await passes(1);
    await expect(names()).resolves.toHaveLength(1);
    for (let day = 2; day <= 4; day++) {
      await push(`${day}`);
      await clock.advance(seconds(24 * 3600));
      await passes(1);
    }
    expect({ copied: copied.length, checked }).toEqual({ copied: 4, checked: 4 });
    await expect(names()).resolves.toHaveLength(2);
    await clock.advance(seconds(3 * 24 * 3600));
    await passes(1);
    expect(copied).toHaveLength(4);
  });

  test("clears away what a crash left of a copy", async () => {
    await passes(1);
    await writeFile(join(directory, "backups", "registry-20260101T000000.000Z.db.tmp"), "half");
    await push("one");
    await clock.advance(seconds(24 * 3600));
    await passes(1);
    expect((await names()).filter((each) => each.endsWith(".tmp"))).toEqual([]);
  });

  test("makes no copy where there is no room for one", async () => {
    room = false;
    await passes(3);
    await expect(names()).resolves.toEqual([]);
    room = true;
    await passes(1);
    await expect(names()).resolves.toHaveLength(1);
  });

  test("who wants a copy while one is checked shares it: neither takes the other's for damage", async () => {
    await push("one");
    await passes(1);
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    // As in a process of its own, which takes a moment to begin.
    check = async (path) => {
      begin(undefined);
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      return checkDatabase(path);
    };
    const first = care.copy(stop.signal);
    await begun;
    await clock.advance(milliseconds(1));
    await expect(Promise.all([first, care.copy(stop.signal)])).resolves.toEqual([undefined, undefined]);
    expect(copied).toEqual(["succeeded", "succeeded"]);
    await expect(readRecord(directory)).resolves.toBeUndefined();
  });

  test("takes two copies in a row that are not sound for a damaged database, and leaves word", async () => {
    findings = { structure: ["page 7 is wrong"], links: [], manifests: [] };
    await eventually(() => clock.sleeping > 0, "the care to rest");
    await clock.advance(minute);
    await expect(running).resolves.toBeInstanceOf(DatabaseDamagedError);
    await expect(readRecord(directory)).resolves.toMatchObject({
      stage: "damaged",
      reason: expect.stringContaining("page 7 is wrong") as unknown,
    });
    await expect(names()).resolves.toEqual([]);
  });

  test("ends at once when a statement finds damage", async () => {
    const { health } = content.scrubbed.database;
    health.notice(Object.assign(new Error("malformed"), { code: "ERR_SQLITE_ERROR", errcode: 267 }));
    await eventually(() => clock.sleeping === 0, "the care to wake");
    await expect(running).resolves.toMatchObject({ name: "DatabaseDamagedError", message: "malformed" });
  });

  test("checks the whole database when the disk refused a read, and goes on if it is sound", async () => {
    await passes(1);
    const { health } = content.scrubbed.database;
    health.notice(Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 266 }));
    await eventually(() => health.state === "none", "the suspicion to go");
    expect(copied).toEqual(["succeeded", "succeeded"]);
  });

  test("does not copy again and again what cannot be checked, when the disk refused a read", async () => {
    await passes(1);
    check = () => Promise.reject(new Error("the check cannot run"));
    const { health } = content.scrubbed.database;
    health.notice(Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 266 }));
    await eventually(() => copied.length > 1 && clock.sleeping > 0, "the care to rest");
    const tries = copied.length;
    expect(tries).toBeLessThanOrEqual(3);
    await passes(1);
    expect(copied).toHaveLength(tries + 1);
  });

  test("ends at once when a write did not reach the disk, so that a new process looks what did", async () => {
    await passes(1);
    fails = true;
    await expect(push("lost")).rejects.toMatchObject({ name: "DurabilityLostError" });
    await expect(running).resolves.toMatchObject({ name: "DurabilityLostError" });
    fails = false;
  });

  test("takes a full disk, a lock and a wrong statement for what they are", () => {
    const { health } = content.scrubbed.database;
    for (const errcode of [13, 5, 1, 2067]) {
      health.notice(Object.assign(new Error("other"), { code: "ERR_SQLITE_ERROR", errcode }));
    }
    health.notice(new Error("something else"));
    expect(health.state).toBe("none");
  });
});
