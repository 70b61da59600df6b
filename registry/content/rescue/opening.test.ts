import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";
import { checkDatabase } from "./checkup.ts";
import { writeRecord, type RescueRecord } from "./record.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const images = ["one", "two", "three"].map((text) => image(config, [item(text)]));

describe("T83 opening a database that is damaged anywhere", () => {
  let directory: string;
  let path: string;
  const clock = new ManualClock();
  const options: ContentOptions = {
    clock,
    newId: randomUUID,
    quota: () => undefined,
    checkDatabase: (file) => Promise.resolve(checkDatabase(file)),
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "opening-"));
    path = join(directory, "registry.db");
    await using(async (content) => {
      const here = content.open(name);
      for (const each of [config, item("one"), item("two"), item("three"), ...images])
        await here.push(each.descriptor, streamOf(each));
      for (const each of images) await here.tag(each.descriptor, tag(each.descriptor.digest.slice(-8)));
      await content.locks.change(name, { kind: "repository" }, { deleteEnabled: false });
      await clock.advance(seconds(1));
      await content.kept?.backups.take(content.kept.database);
    });
    await cp(path, join(directory, "sound"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const using = async <T>(work: (content: RegistryContent) => Promise<T>): Promise<T> => {
    const content = await openContent(directory, options);
    try {
      return await work(content);
    } finally {
      await content.close();
    }
  };

  const rescued = async (): Promise<RescueRecord> => {
    const rescue = await using((content) => Promise.resolve(content.kept?.rescue));
    if (rescue === undefined) throw new Error("it was not replaced");
    return rescue;
  };

  const overwrite = async (at: number, length: number): Promise<void> => {
    const file = await open(path, "r+");
    await file.write(Buffer.alloc(length, 0xff), 0, length, at);
    await file.close();
  };

  test.each([64, 4096])("the first %i bytes of each page in turn: it always opens", async (length) => {
    const { size } = await stat(path);
    const failed: string[] = [];
    for (let page = 0; page < size / 4096; page++) {
      await rm(path);
      await cp(join(directory, "sound"), path);
      await overwrite(page * 4096, length);
      await using(() => Promise.resolve()).catch((error: unknown) =>
        failed.push(`${page}: ${String(error)}`),
      );
    }
    expect(failed).toEqual([]);
  });

  test("one that was restored, and damaged again before the start had ended, is restored again", async () => {
    await overwrite(0, 100);
    const found = await rescued();
    for (const spoil of [() => overwrite(0, 100), () => rm(path)]) {
      await writeRecord(directory, { ...found, stage: "restored" });
      await spoil();
      await expect(rescued()).resolves.toMatchObject({ stage: "done" });
    }
  });

  test("one that proves to be damaged before anybody takes care of it is replaced at the next start", async () => {
    await using((content) => {
      const error = Object.assign(new Error("malformed"), { code: "ERR_SQLITE_ERROR", errcode: 11 });
      content.scrubbed.database.health.notice(error);
      return Promise.resolve();
    });
    await expect(rescued()).resolves.toMatchObject({ stage: "done", reason: "malformed" });
  });

  test("what is no folder beside the blobs is no content, and no hindrance", async () => {
    await rm(directory, { recursive: true });
    await mkdir(join(directory, "blobs", "sha256"), { recursive: true });
    await writeFile(join(directory, "blobs", "sha256", "stray"), "");
    await expect(using((content) => Promise.resolve(content.kept?.rescue))).resolves.toBeUndefined();
  });

  test("T58 the file that is set aside now is kept, also by a clock that was set back", async () => {
    await mkdir(join(directory, "damaged"));
    for (const year of [2031, 2032, 2033]) {
      await writeFile(join(directory, "damaged", `registry-${year}-01-01T000000.000Z.db`), "");
    }
    await overwrite(0, 100);
    const { setAside } = await rescued();
    const names = await readdir(join(directory, "damaged"));
    expect(names).toEqual([basename(setAside), "registry-2033-01-01T000000.000Z.db"]);
  });
});
