import { chmod, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { hexOf } from "../../common/oci/digest.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { NewerSchemaError } from "./database.ts";
import { DataInUseError, holdLock } from "./lock.ts";
import { FilesystemBlobs } from "./blobs-filesystem.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import { describeContent } from "./conformance.ts";
import { openContent, openMemoryContent, type RegistryContent } from "./content.ts";
import { image, item, repository, streamOf, tag } from "./testing/images.ts";

const directories: string[] = [];

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "content-"));
  directories.push(made);
  return made;
}

afterAll(async () => {
  for (const made of directories) await rm(made, { recursive: true });
});

describeContent("content in memory", openMemoryContent);
describeContent("content in a directory", async (options) => openContent(await directory(), options));

describe("content in a directory, after a restart", () => {
  const name = repository("team/a");
  const config = item("{}", "application/vnd.oci.image.config.v1+json");
  const layer = item("layer one");
  const manifest = image(config, [layer]);
  let ids = 0;
  const start = (path: string, quota?: number): Promise<RegistryContent> =>
    openContent(path, {
      // Later than the files that these tests make, whose times are real.
      clock: new ManualClock("2100-01-01T00:00:00Z"),
      newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, "0")}`,
      quota: () => quota,
    });

  test("has all that was acknowledged", async () => {
    const path = await directory();
    const before = await start(path);
    for (const each of [config, layer, manifest]) {
      await before.open(name).push(each.descriptor, streamOf(each));
    }
    await before.open(name).tag(manifest.descriptor, tag("v1"));
    await before.close();
    const after = await start(path);
    await expect(after.open(name).resolve(tag("v1"))).resolves.toEqual(manifest.descriptor);
    await expect(after.open(name).fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
    await after.close();
  });

  test("S52 is nobody else's to read, whatever the permissions of the directory", async () => {
    const path = await directory();
    await chmod(path, 0o755);
    const content = await start(path);
    await content.open(name).push(layer.descriptor, streamOf(layer));
    const upload = await content.uploads.create(name);
    await upload.append(streamOf(layer));
    const modes = new Map<string, string>();
    for (const file of await readdir(path, { recursive: true })) {
      modes.set(file, ((await stat(join(path, file))).mode & 0o777).toString(8));
    }
    const staged = [...modes.keys()].filter((file) => file.startsWith("staging/"));
    const { digest } = layer.descriptor;
    for (const file of ["lock", "registry.db", "registry.db-wal", "registry.db-shm", ...staged]) {
      expect([file, modes.get(file)]).toEqual([file, "600"]);
    }
    expect(staged).toHaveLength(1);
    expect(modes.get(`blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`)).toBe("600");
    for (const folder of ["blobs", "blobs/sha256", "staging"]) expect(modes.get(folder)).toBe("700");
    await content.close();
  });

  test("drops what was abandoned, though an upload ends while it looks", async () => {
    const path = await directory();
    const content = await start(path);
    const upload = await content.uploads.create(name);
    await upload.append(streamOf(layer));
    const ingest = await content.open(name).ingest(layer.descriptor);
    await ingest.suspend();
    await content.close();
    const vanishing: FileSystem = {
      ...nodeFiles,
      list: async (from) => [...(await nodeFiles.list(from)), "ended-meanwhile"],
    };
    const blobs = await FilesystemBlobs.open(path, vanishing);
    await expect(blobs.staged()).resolves.toHaveLength(2);
  });

  test("T23 does not mount a blob whose file was lost, and takes it again", async () => {
    const path = await directory();
    const content = await start(path);
    await content.open(name).push(layer.descriptor, streamOf(layer));
    const { digest } = layer.descriptor;
    const hex = digest.slice("sha256:".length);
    await rm(join(path, "blobs", "sha256", hex.slice(0, 2), hex));
    const other = content.open(repository("team/b"));
    await expect(other.mountBlob(digest, name)).resolves.toBe(false);
    await other.push(layer.descriptor, streamOf(layer));
    await expect(other.mountBlob(digest, name)).resolves.toBe(true);
    await content.close();
  });

  test("is one process's alone", async () => {
    const path = await directory();
    const first = await start(path);
    expect(() => holdLock(join(path, "lock"))).toThrow(DataInUseError);
    await first.close();
    await (await start(path)).close();
  });

  test("is not opened when a newer version wrote it", async () => {
    const path = await directory();
    await (await start(path)).close();
    const database = new DatabaseSync(join(path, "registry.db"));
    database.exec("INSERT INTO migrations VALUES (999, '')");
    database.close();
    await expect(start(path)).rejects.toMatchObject({ name: NewerSchemaError.name });
  });

  test("goes on with uploads", async () => {
    const path = await directory();
    const clock = new ManualClock();
    const options = { clock, newId: () => "00000000-0000-4000-8000-aaaaaaaaaaaa", quota: () => undefined };
    const before = await openContent(path, options);
    const upload = await before.uploads.create(name);
    await upload.append(Readable.from([Buffer.from("layer")]));
    await before.close();
    const after = await openContent(path, options);
    const found = after.uploads.find(name, upload.id);
    expect(found.offset).toBe(5);
    await found.append(Readable.from([Buffer.from(" one")]));
    await found.commit(layer.descriptor.digest);
    await expect(after.open(name).exists(layer.descriptor)).resolves.toBe(true);
    await after.close();
  });

  test("goes on with transfers, and counts them against the quota", async () => {
    const path = await directory();
    const clock = new ManualClock();
    const options = { clock, newId: () => "x", quota: () => 9 };
    const before = await openContent(path, options);
    const ingest = await before.open(name).ingest(layer.descriptor);
    await ingest.write(Readable.from([Buffer.from("layer")]));
    await before.close();
    const after = await openContent(path, options);
    const other = item("12345");
    await expect(after.open(name).push(other.descriptor, streamOf(other))).rejects.toMatchObject({
      code: "STORAGE_FULL",
    });
    const again = await after.open(name).ingest(layer.descriptor);
    expect(again.offset).toBe(5);
    await again.write(Readable.from([Buffer.from(" one")]));
    await again.commit();
    await expect(after.open(name).exists(layer.descriptor)).resolves.toBe(true);
    await after.close();
  });

  test("has cleared away uploads and transfers that nobody went on with", async () => {
    const path = await directory();
    const before = await start(path);
    await (await before.uploads.create(name)).append(streamOf(layer));
    const ingest = await before.open(name).ingest(layer.descriptor);
    await ingest.write(Readable.from([Buffer.from("layer")]));
    await before.close();
    const after = await start(path);
    await expect(readdir(join(path, "staging"))).resolves.toEqual([]);
    expect(after.uploads.count).toBe(0);
    await after.close();
  });
});
