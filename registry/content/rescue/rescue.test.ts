import { randomUUID } from "node:crypto";
import { cp, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
import { image, index, item, repository, streamOf, tag, type Item } from "../testing/images.ts";
import { hexOf } from "../../../common/oci/digest.ts";
import { checkDatabase } from "./checkup.ts";
import { damagedRecord, readRecord, writeRecord } from "./record.ts";

const name = repository("team/a");
const other = repository("team/b");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layers = ["one", "two", "three"].map((text) => item(Buffer.alloc(50_000, text)));
const images = layers.map((layer) => image(config, [layer]));
/** Large enough for overflow pages in the database. */
const annotated = image(config, [layers[0]!], { annotations: { text: "x".repeat(30_000) } });
const both = index([images[0]!, images[1]!]);

const clock = new ManualClock();
const options: ContentOptions = {
  clock,
  newId: randomUUID,
  quota: () => undefined,
  checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
};

describe("T83 a database that is damaged", () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "rescue-"));
    path = join(directory, "registry.db");
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const using = async <T>(work: (content: RegistryContent) => Promise<T>, files?: FileSystem): Promise<T> => {
    const content = await openContent(directory, options, files);
    try {
      return await work(content);
    } finally {
      await content.close();
    }
  };

  const push = async (content: RegistryContent, pushed: readonly Item[], to = name): Promise<void> => {
    for (const each of pushed) await content.open(to).push(each.descriptor, streamOf(each));
  };

  const tagAs = (content: RegistryContent, what: Item, text: string): Promise<void> =>
    content.open(name).tag(what.descriptor, tag(text));

  const backup = async (content: RegistryContent): Promise<void> => {
    const { kept } = content;
    if (kept === undefined) throw new Error("content on a disk has a kept database");
    await clock.advance(seconds(1));
    await expect(kept.backups.take(kept.database)).resolves.toEqual({
      structure: [],
      links: [],
      manifests: [],
    });
  };

  /** Three images, an index and one with a large manifest; copied; then one more tag. */
  const fill = (): Promise<void> =>
    using(async (content) => {
      await push(content, [config, ...layers, ...images, annotated, both]);
      await push(content, [config, ...layers, ...images], other);
      for (const [at, each] of images.entries()) await tagAs(content, each, `v${at + 1}`);
      await tagAs(content, annotated, "annotated");
      await tagAs(content, both, "both");
      await backup(content);
      await tagAs(content, annotated, "late");
    });

  const overwrite = async (at: number, length: number): Promise<void> => {
    const file = await open(path, "r+");
    await file.write(Buffer.alloc(length, 0xff), 0, length, at);
    await file.close();
  };

  const damages: { what: string; because: string; damage: () => Promise<unknown> }[] = [
    { what: "its header", because: "it is no database then", damage: () => overwrite(0, 100) },
    { what: "its schema", because: "no table can be found", damage: () => overwrite(100, 3000) },
    { what: "its end", because: "half of it is gone", damage: () => truncate(path, 20_000) },
    { what: "all but its first page", because: "nothing is left", damage: () => truncate(path, 4096) },
    {
      what: "all of it",
      because: "SQLite would begin anew, and say nothing",
      damage: () => truncate(path, 0),
    },
    { what: "the file itself", because: "SQLite would begin anew, and say nothing", damage: () => rm(path) },
    {
      what: "another file in its place",
      because: "no header",
      damage: () => writeFile(path, "x".repeat(9000)),
    },
  ];

  test.each(damages)("$what: the backup takes its place, and the rest is served", async ({ damage }) => {
    await fill();
    await damage();
    await using(async (content) => {
      const rescue = content.kept?.rescue;
      expect(rescue).toMatchObject({ stage: "done", backup: {} });
      expect(rescue?.backup?.file).toMatch(/^backups\//);
      expect(rescue?.losses).toMatchObject({ blobs: 0, manifests: 0 });
      const here = content.open(name);
      for (const [at, each] of images.entries()) {
        await expect(here.resolve(tag(`v${at + 1}`))).resolves.toEqual(each.descriptor);
        expect((await here.fetch(each.descriptor).then(buffer)).equals(each.bytes)).toBe(true);
      }
      // What came after the backup can be brought again.
      await tagAs(content, annotated, "late");
    });
    await expect(using(async (content) => Promise.resolve(content.kept?.rescue))).resolves.toBeUndefined();
  });

  test("the root of any table or index: it is noticed at the start, or by the check of a copy", async () => {
    await fill();
    const database = new DatabaseSync(path);
    const roots = database
      .prepare("SELECT name, type, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage")
      .all();
    database.close();
    expect(roots.length).toBeGreaterThan(20);
    const sound = join(directory, "sound");
    await cp(path, sound);
    for (const { type, rootpage, name: what } of roots) {
      await cp(sound, path);
      await overwrite((Number(rootpage) - 1) * 4096, 64);
      if (checkDatabase(path).structure.length === 0) throw new Error(`${String(what)}: the check is blind`);
      if (type !== "table") continue;
      await using(async (content) => {
        expect({ what, rescue: content.kept?.rescue?.stage }).toEqual({ what, rescue: "done" });
        await expect(content.open(name).resolve(tag("v1"))).resolves.toEqual(images[0]?.descriptor);
      });
    }
  });

  test("any page at all: the check finds it, or it holds nothing", async () => {
    await fill();
    const { size } = await stat(path);
    const sound = join(directory, "sound");
    await cp(path, sound);
    const blind: number[] = [];
    for (let page = 0; page < size / 4096; page++) {
      await cp(sound, path);
      await overwrite(page * 4096, 4096);
      const { structure, manifests, links, usage } = checkDatabase(path);
      if (structure.length + manifests.length + links.length === 0 && usage === undefined) blind.push(page);
    }
    const database = new DatabaseSync(sound);
    const free = Number(database.prepare("PRAGMA freelist_count").get()?.freelist_count);
    database.close();
    expect(blind.length).toBeLessThanOrEqual(free);
  });

  test("what came after the backup is named as far as the damaged file can still be read", async () => {
    await fill();
    await using(async (content) => {
      await tagAs(content, images[1]!, "v1");
    });
    await writeRecord(directory, damagedRecord(clock.now().toISO(), "a statement failed"));
    const rescue = await using((content) => Promise.resolve(content.kept?.rescue));
    expect(rescue?.reason).toBe("a statement failed");
    expect(rescue?.losses).toEqual({
      blobs: 0,
      manifests: 0,
      tags: 2,
      names: ["team/a:late", "team/a:v1"],
    });
    expect(await readdir(join(directory, "damaged"))).toEqual([rescue?.setAside.replace("damaged/", "")]);
    expect(await readRecord(directory)).toEqual(rescue);
  });

  test.each([
    { what: "its header", damage: () => overwrite(0, 100) },
    { what: "its first page", damage: () => overwrite(0, 4096) },
    {
      what: "what its manifests are",
      damage: async () => {
        const database = new DatabaseSync(path);
        const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'manifests'").get();
        database.close();
        await overwrite((Number(row?.rootpage) - 1) * 4096, 4096);
      },
    },
  ])("so it is when $what cannot be read", async ({ damage }) => {
    await fill();
    await damage();
    const rescue = await using((content) => Promise.resolve(content.kept?.rescue));
    expect(rescue?.losses).toMatchObject({ tags: 1, names: ["team/a:late"] });
    expect(await readdir(join(directory, "damaged"))).toHaveLength(1);
  });

  test("where there is no room for the backup it says so, and starts when there is", async () => {
    await fill();
    await overwrite(0, 100);
    const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const open: FileSystem["open"] = (file, ...rest) =>
      String(file).endsWith("registry.db.tmp") ? Promise.reject(full) : nodeFiles.open(file, ...rest);
    await expect(using(() => Promise.resolve(), { ...nodeFiles, open })).rejects.toThrow(
      "the database is damaged, and the volume has no room for its backup",
    );
    await using(async (content) => {
      await expect(content.open(name).resolve(tag("v1"))).resolves.toEqual(images[0]?.descriptor);
    });
  });

  test("an image whose layer is gone is named and not served; an index keeps what is there", async () => {
    await fill();
    const [first, second] = layers as [Item, Item, Item];
    const fileOf = (each: Item): string => {
      const hex = hexOf(each.descriptor.digest);
      return join(directory, "blobs", "sha256", hex.slice(0, 2), hex);
    };
    await rm(fileOf(first));
    await overwrite(0, 100);
    await using(async (content) => {
      expect(content.kept?.rescue?.losses).toMatchObject({ blobs: 1, manifests: 3, tags: 3 });
      expect(content.kept?.rescue?.losses?.names).toEqual(
        expect.arrayContaining([
          "team/a:v1",
          "team/a:annotated",
          `team/b@${images[0]?.descriptor.digest ?? ""}`,
        ]),
      );
      const here = content.open(name);
      await expect(here.manifest(images[0]!.descriptor.digest)).rejects.toThrow("not in the repository");
      await expect(here.resolve(tag("both"))).resolves.toEqual(both.descriptor);
      await expect(here.resolve(tag("v2"))).resolves.toEqual(images[1]?.descriptor);
      // A push brings it back, and its index is whole again.
      await push(content, [first, images[0]!]);
    });
    await truncate(fileOf(first), 10);
    await truncate(fileOf(second), 10);
    await overwrite(0, 100);
    await using(async (content) => {
      const here = content.open(name);
      await expect(here.resolve(tag("both"))).rejects.toThrow("no tag both");
      await expect(here.resolve(tag("v3"))).resolves.toEqual(images[2]?.descriptor);
      const { database } = content.kept ?? {};
      expect(database?.statements.rows("PRAGMA foreign_key_check")).toEqual([]);
      const row = database?.statements.row(
        `SELECT (SELECT bytes FROM usage) = (SELECT sum(size) FROM blobs) + (SELECT sum(size) FROM manifest_contents)
           AS counted, (SELECT count(*) FROM repositories r WHERE bytes <>
           (SELECT coalesce(sum(b.size), 0) FROM blob_links l JOIN blobs b ON b.id = l.blob WHERE l.repository = r.id) +
           (SELECT coalesce(sum(c.size), 0) FROM manifests m JOIN manifest_contents c ON c.id = m.content
            WHERE m.repository = r.id)) AS wrong`,
      );
      expect(row).toEqual({ counted: 1, wrong: 0 });
    });
  });

  test("a lock on what is lost keeps nothing that is not there, and stays on the repository", async () => {
    await fill();
    await using(async (content) => {
      await content.locks.change(name, { kind: "repository" }, { deleteEnabled: false });
      await backup(content);
    });
    const hex = hexOf(layers[2]!.descriptor.digest);
    await rm(join(directory, "blobs", "sha256", hex.slice(0, 2), hex));
    await overwrite(0, 100);
    await using(async (content) => {
      await expect(content.open(name).resolve(tag("v3"))).rejects.toThrow("no tag v3");
      await expect(content.locks.describe(name, { kind: "repository" })).resolves.toMatchObject({
        attributes: { deleteEnabled: false },
      });
    });
  });

  test("a backup that the disk has spoilt is passed over for the one before it", async () => {
    await fill();
    await using(backup);
    const [newest] = (await readdir(join(directory, "backups"))).sort().reverse();
    await truncate(join(directory, "backups", newest ?? ""), 5000);
    await overwrite(0, 100);
    await using(async (content) => {
      expect(content.kept?.rescue?.backup?.file).not.toBe(join("backups", newest ?? ""));
      await expect(content.open(name).resolve(tag("v1"))).resolves.toEqual(images[0]?.descriptor);
    });
  });

  test("without a backup an empty registry begins, and a push brings back what files are still there", async () => {
    await fill();
    await rm(join(directory, "backups"), { recursive: true });
    await writeRecord(directory, damagedRecord(clock.now().toISO(), "a statement failed"));
    await using(async (content) => {
      expect(content.kept?.rescue).not.toHaveProperty("backup");
      expect(content.kept?.rescue?.losses).toMatchObject({ tags: 6 });
      await expect(content.open(name).tagPage({ limit: 10 })).resolves.toEqual([]);
      await push(content, [config, layers[0]!, images[0]!]);
      await tagAs(content, images[0]!, "v1");
    });
  });

  test("blobs that no row knows any more come in again without being transferred, if their bytes are their own", async () => {
    await fill();
    await rm(join(directory, "backups"), { recursive: true });
    const [first, second] = layers as [Item, Item];
    const hex = hexOf(second.descriptor.digest);
    const file = await open(join(directory, "blobs", "sha256", hex.slice(0, 2), hex), "r+");
    await file.write("!", 7);
    await file.close();
    await overwrite(0, 100);
    await using(async (content) => {
      const here = content.open(name);
      const again = await here.ingest(first.descriptor);
      expect(again.offset).toBe(first.bytes.length);
      await again.commit();
      expect((await here.fetch(first.descriptor).then(buffer)).equals(first.bytes)).toBe(true);
      const afresh = await here.ingest(second.descriptor);
      expect(afresh.offset).toBe(0);
      await afresh.write(streamOf(second));
      await afresh.commit();
      expect((await here.fetch(second.descriptor).then(buffer)).equals(second.bytes)).toBe(true);
    });
  });

  test("a new directory is no loss", async () => {
    await expect(using((content) => Promise.resolve(content.kept?.rescue))).resolves.toBeUndefined();
    await expect(readdir(directory)).resolves.not.toContain("rescue.json");
  });

  test("at most two damaged databases are kept", async () => {
    await fill();
    for (let round = 0; round < 4; round++) {
      await clock.advance(seconds(60));
      await overwrite(0, 100);
      await using(() => Promise.resolve());
    }
    await expect(readdir(join(directory, "damaged"))).resolves.toHaveLength(2);
  });

  test("a crash at any step of the rescue: the next start goes on, and the damaged file is still there", async () => {
    await fill();
    await overwrite(0, 100);
    const damaged = await readFile(path);
    await cp(directory, `${directory}-before`, { recursive: true });
    let steps = 0;
    for (let count = 1; ; count++) {
      await rm(directory, { recursive: true });
      await cp(`${directory}-before`, directory, { recursive: true });
      let done = 0;
      const step = <T>(value: T): T => {
        done++;
        if (done >= count) throw new Error("killed");
        return value;
      };
      const files: FileSystem = {
        ...nodeFiles,
        open: (...values) => nodeFiles.open(...step(values)),
        rename: (from, to) => nodeFiles.rename(step(from), to),
        remove: (each) => nodeFiles.remove(step(each)),
      };
      const finished = await using(() => Promise.resolve(true), files).catch(() => false);
      await using(async (content) => {
        await expect(content.open(name).resolve(tag("v1"))).resolves.toEqual(images[0]?.descriptor);
      });
      const [kept] = await readdir(join(directory, "damaged"));
      expect((await readFile(join(directory, "damaged", kept ?? ""))).equals(damaged)).toBe(true);
      await expect(readRecord(directory)).resolves.toMatchObject({ stage: "done" });
      if (finished) break;
      steps = count;
    }
    await rm(`${directory}-before`, { recursive: true });
    expect(steps).toBeGreaterThan(10);
  });

  test("T88 before its schema is upgraded the database is copied", async () => {
    await fill();
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM additions WHERE version = (SELECT max(version) FROM additions)");
    database.close();
    // The step cannot be done twice: what matters is that the copy came first.
    await using(() => Promise.resolve()).catch(() => undefined);
    const names = await readdir(join(directory, "backups"));
    expect(names.filter((each) => each.startsWith("before-schema-"))).toHaveLength(1);
  });
});
