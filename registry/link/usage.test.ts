import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../common/testing/silent-log.ts";
import { LinkUsage } from "./usage.ts";

const today = { Day: "2026-11-21", Month: "2026-11" };

describe("LinkUsage", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "usage-"));
    path = join(folder, "link", "usage.json");
  });

  afterEach(() => rm(folder, { recursive: true }));

  test("counts days and months, and knows them after a restart", async () => {
    const usage = await LinkUsage.restore(path, silentLog);
    usage.add(100, { Day: "2026-11-20", Month: "2026-11" });
    usage.add(20, today);
    expect(usage.unsaved).toBe(120);
    await usage.save();
    expect(usage.unsaved).toBe(0);
    const again = await LinkUsage.restore(path, silentLog);
    expect([again.used("Day", "2026-11-20"), again.used("Day", "2026-11-21")]).toEqual([100, 20]);
    expect([again.used("Month", "2026-11"), again.used("Month", "2026-12")]).toEqual([120, 0]);
    expect(await readdir(join(folder, "link"))).toEqual(["usage.json"]);
  });

  test("T35 tells questions from content, also after a restart, and knows of none in what an earlier version wrote", async () => {
    await mkdir(join(folder, "link"));
    await writeFile(path, JSON.stringify({ Day: [{ id: today.Day, bytes: 7 }], Month: [] }));
    const usage = await LinkUsage.restore(path, silentLog);
    expect(usage.questions("Day", today.Day)).toBe(0);
    usage.add(100, today, 30);
    usage.add(5, today);
    await usage.save();
    const again = await LinkUsage.restore(path, silentLog);
    expect([again.used("Day", today.Day), again.questions("Day", today.Day)]).toEqual([112, 30]);
    expect(again.questions("Month", today.Month)).toBe(30);
  });

  test("T58 a clock that is years off for a while makes it forget nothing", async () => {
    const usage = await LinkUsage.restore(path, silentLog);
    usage.add(100, today);
    usage.add(1, { Day: "1970-01-01", Month: "1970-01" });
    usage.add(1, { Day: "2099-01-01", Month: "2099-01" });
    usage.add(10, today);
    expect([usage.used("Day", today.Day), usage.used("Month", today.Month)]).toEqual([110, 110]);
  });

  test("keeps a handful of periods, those that were counted in last", async () => {
    const usage = await LinkUsage.restore(path, silentLog);
    for (let day = 10; day < 30; day++) usage.add(1, { Day: `2026-11-${day}`, Month: "2026-11" });
    await usage.save();
    const { Day: days } = JSON.parse(await readFile(path, "utf8")) as { readonly Day: object[] };
    expect(days).toEqual(
      ["29", "28", "27", "26"].map((day) => ({ id: `2026-11-${day}`, bytes: 1, questions: 0 })),
    );
  });

  test.each([
    { content: "", because: "it is empty" },
    { content: '{"Day":[{"id":"2026-11-21","by', because: "it is torn" },
    { content: '{"Day":[{"id":"2026-11-21","bytes":-5}],"Month":[]}', because: "it says what cannot be" },
  ])("begins at zero if the file cannot be read: $because", async ({ content }) => {
    await mkdir(join(folder, "link"));
    await writeFile(path, content);
    const usage = await LinkUsage.restore(path, silentLog);
    expect(usage.used("Day", today.Day)).toBe(0);
    usage.add(5, today);
    await usage.save();
    expect((await LinkUsage.restore(path, silentLog)).used("Day", today.Day)).toBe(5);
  });

  test("goes on counting while it cannot be written, and writes it later", async () => {
    const usage = await LinkUsage.restore(path, silentLog);
    await mkdir(path, { recursive: true });
    usage.add(5, today);
    await usage.save();
    expect(usage.unsaved).toBe(5);
    await rm(path, { recursive: true });
    await usage.save();
    expect((await LinkUsage.restore(path, silentLog)).used("Day", today.Day)).toBe(5);
  });
});
