import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Duration } from "luxon";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { FilesystemBlobs } from "./blobs-filesystem.ts";
import type { Blobs } from "./blobs.ts";
import { Holds } from "./holds.ts";
import { Intake } from "./intake.ts";
import { MetadataDatabase } from "./metadata-database.ts";
import { SqliteMetadata } from "./metadata-sqlite.ts";
import { Outbox } from "./outbox/outbox.ts";
import type { Metadata } from "./metadata.ts";
import { Quota } from "./quota.ts";
import { item, repository, streamOf } from "./testing/images.ts";
import { Scratch } from "./testing/scratch.ts";
import { Uploads } from "./uploads.ts";

const name = repository("team/a");
const layer = item("layer one");
const clock = new ManualClock();
const limits = { open: 4, openPerClient: 2, bytes: 10, idle: Duration.fromObject({ hours: 1 }) };
const tooMany = { code: "TOOMANYREQUESTS" };

describe("uploads", () => {
  const scratch = new Scratch();
  let folder: string;
  let database: MetadataDatabase;
  let blobs: Blobs;

  beforeEach(async () => {
    folder = await scratch.inMemory();
    database = await MetadataDatabase.open(":memory:", clock);
    blobs = await FilesystemBlobs.open(folder);
  });

  afterEach(async () => {
    await database.close();
    await scratch.clear();
  });

  /** As a process has them that has just started. */
  async function start(change: Partial<Metadata> = {}): Promise<Uploads> {
    const real = new SqliteMetadata(database, clock, new Outbox(database, clock, () => false).table);
    const metadata = Object.assign(Object.create(real) as Metadata, change);
    const quota = new Quota({ total: () => undefined, repositories: () => [] }, 0, () => 0);
    const intake = new Intake(blobs, metadata, quota, new Holds(), randomUUID);
    const uploads = new Uploads(blobs, intake, clock, randomUUID, limits);
    await uploads.restore();
    return uploads;
  }

  test("S05 are counted by client also after a restart, and leave room for others", async () => {
    const before = await start();
    await before.create(name, { client: "one" });
    await before.create(name, { client: "one" });
    const after = await start();
    await expect(after.create(name, { client: "one" })).rejects.toMatchObject(tooMany);
    await after.create(name, { client: "two" });
    await after.create(name);
    await expect(after.create(name, { client: "three" })).rejects.toMatchObject(tooMany);
  });

  test("S05 of one client that are begun at once are counted as well", async () => {
    const uploads = await start();
    const begun = Array.from({ length: 4 }, () => uploads.create(name, { client: "one" }));
    const outcomes = (await Promise.allSettled(begun)).map(({ status }) => status);
    expect(outcomes).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  });

  test("go on where they were, whoever began them", async () => {
    const { id } = await (await start()).create(name, { client: "one" });
    await (await start()).find(name, id).append(streamOf(item("layer")));
    const upload = (await start()).find(name, id);
    expect(upload.offset).toBe(5);
    await upload.append(streamOf(item(" one")));
    await upload.commit(layer.descriptor.digest);
    await expect(blobs.size(layer.descriptor.digest)).resolves.toBe(9);
  });

  test("that an earlier version left, whose names do not say whose they are, go on", async () => {
    const { id } = await (await start()).create(name);
    const [file = ""] = await readdir(join(folder, "staging"));
    const earlier = await blobs.stage(file.replace(/-[0-9a-f]{16}$/, ""));
    await (await blobs.stage(file)).discard();
    expect(earlier.key).toHaveLength("upload-".length + 36 + 1 + 32);
    expect((await start()).find(name, id).offset).toBe(0);
  });

  test("S05 are bounded in size, and what came until then stays", async () => {
    const upload = await (await start()).create(name);
    await upload.append(streamOf(layer));
    await expect(upload.append(streamOf(item("xx")))).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect(upload.offset).toBe(9);
    await upload.commit(layer.descriptor.digest);
    await expect(blobs.size(layer.descriptor.digest)).resolves.toBe(9);
  });

  test("T58 of a time to come expire as if they had come now", async () => {
    await (await start()).create(name);
    // Files have the time of the system, which is later than that of the test.
    const uploads = await start();
    await uploads.expire();
    expect(uploads.count).toBe(1);
    await clock.advance(limits.idle);
    await uploads.expire();
    expect(uploads.count).toBe(0);
    await expect(readdir(join(folder, "staging"))).resolves.toEqual([]);
  });

  describe("whose blob came, and whose row did not", () => {
    const full = Object.assign(new Error("database or disk is full"), {
      code: "ERR_SQLITE_ERROR",
      errcode: 13,
    });

    /** How long the file then is. */
    async function sizeAfter(error: Error): Promise<number | undefined> {
      const fail = (): Promise<never> => Promise.reject(error);
      const uploads = await start({ linkBlob: fail, mountBlob: fail });
      const upload = await uploads.create(name);
      await upload.append(streamOf(layer));
      await expect(upload.commit(layer.descriptor.digest)).rejects.toBe(error);
      return blobs.size(layer.descriptor.digest);
    }

    test("T80 leave no file when there was no room", async () => {
      await expect(sizeAfter(full)).resolves.toBeUndefined();
    });

    test("leave it to the collection of garbage when nobody knows what the disk has", async () => {
      await expect(sizeAfter(new Error("a write did not reach the disk"))).resolves.toBe(9);
    });

    test("leave the file that another repository has", async () => {
      const other = await (await start()).create(repository("team/b"));
      await other.append(streamOf(layer));
      await other.commit(layer.descriptor.digest);
      await expect(sizeAfter(full)).resolves.toBe(9);
    });
  });
});
