import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions } from "../content.ts";
import { holdLock } from "../lock.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";
import { checkDatabase } from "./checkup.ts";
import { fileSystemType, lockAdvice, remoteFileSystem } from "./file-system.ts";

describe("the name of a file system", () => {
  test.each([
    { type: 0x6969, name: "NFS" },
    { type: 0xff534d42, name: "SMB" },
    { type: 0xff534d42 | 0, name: "SMB" },
    { type: 0xfe534d42, name: "SMB" },
    { type: 0x01021997, name: "9p" },
    { type: 0x65735546, name: "FUSE" },
    { type: 0xef53, name: undefined },
    { type: 0x58465342, name: undefined },
    { type: 0x01021994, name: undefined },
    { type: 12345, name: undefined },
  ])("$type is $name", ({ type, name }) => {
    expect(remoteFileSystem(type)).toBe(name);
  });

  test("is asked of the system", async () => {
    await expect(fileSystemType(tmpdir())).resolves.toBe((await statfs(tmpdir())).type);
  });
});

describe("content on a file system that cannot share memory", () => {
  let directory: string;
  const config = item("{}", "application/vnd.oci.image.config.v1+json");
  const one = image(config, []);
  const name = repository("team/a");

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "remote-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const options: ContentOptions = {
    clock: new ManualClock(),
    newId: randomUUID,
    quota: () => undefined,
    fileSystemType: () => Promise.resolve(0x6969),
    checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
  };

  test("is kept as elsewhere, without the file that would be shared, and is copied", async () => {
    const content = await openContent(directory, options);
    for (const each of [config, one]) await content.open(name).push(each.descriptor, streamOf(each));
    await content.open(name).tag(one.descriptor, tag("v1"));
    expect(content.kept?.remote).toBe("NFS");
    await expect(readdir(directory)).resolves.not.toContain("registry.db-shm");
    const other = new DatabaseSync(join(directory, "registry.db"), { readOnly: true, timeout: 0 });
    expect(() => other.prepare("SELECT * FROM tags").all()).toThrow("database is locked");
    other.close();
    await content.kept?.backups.take(content.kept.database);
    await content.close();

    const again = await openContent(directory, { ...options, fileSystemType });
    await expect(again.open(name).resolve(tag("v1"))).resolves.toEqual(one.descriptor);
    expect(again.kept?.remote).toBeUndefined();
    await again.close();
  });

  test("says what else may be wrong when it seems to be in use", async () => {
    const release = holdLock(join(directory, "lock"));
    await expect(openContent(directory, options)).rejects.toThrow(`stop it first; ${lockAdvice("NFS")}`);
    release();
  });
});
