import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { FileJournal, type JournalEntry } from "./journal.ts";

const entry: JournalEntry = {
  place: "https://parent.example",
  lastSyncTime: "2026-01-01T00:00:00.000Z",
  doneTime: "2026-01-01T00:00:00.000Z",
  resyncRequest: "now",
  resync: { request: "now", state: "Partial", startTime: "2026-01-01T00:00:00.000Z" },
  sync: {
    trigger: "InitialSync",
    state: "Partial",
    startTime: "2026-01-01T00:00:00.000Z",
    endTime: "2026-01-01T00:01:00.000Z",
    tags: { selected: 2, upToDate: 0, copied: 1, failed: 1, postponed: 0 },
    bytes: 7,
    failures: [{ repository: "a", tag: "b", message: "The parent has no such tag." }],
  },
};

describe("FileJournal", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "journal-"));
    path = join(folder, "sync", "journal.json");
  });

  afterEach(() => rm(folder, { recursive: true }));

  test("T50 gives back what was written, also to another process", async () => {
    await new FileJournal(path, silentLog).write({});
    await new FileJournal(path, silentLog).write(entry);
    await expect(new FileJournal(path, silentLog).read()).resolves.toEqual(entry);
    expect(await readdir(join(folder, "sync"))).toEqual(["journal.json"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("begins empty", async () => {
    await expect(new FileJournal(path, silentLog).read()).resolves.toEqual({});
  });

  test.each(["", "{", "[]", '{"sync":{"state":"Odd"}}'])("T83 takes %j for no journal", async (text) => {
    const journal = new FileJournal(path, silentLog);
    await journal.write(entry);
    await writeFile(path, text);
    await expect(journal.read()).resolves.toEqual({});
    await journal.write(entry);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(entry);
  });
});
