import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { InvalidConfigError } from "../../common/contract/config.ts";
import { parseEnding } from "../../common/contract/ending.ts";
import { hasCode } from "../../common/errors.ts";
import { DataInUseError } from "../content/lock.ts";
import { endingOf, leaveEnding } from "./ending.ts";

const data = "/var/lib/connected-registry";
const refused = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: refused, open '${path}'`), { code, path });
const ofSqlite = (errcode: number): Error =>
  Object.assign(new Error("sqlite"), { code: "ERR_SQLITE_ERROR", errcode });

describe("what ended a registry", () => {
  it.each([
    { error: refused("EROFS", `${data}/lock`), code: "VolumeReadOnly", because: "it is mounted read-only" },
    { error: refused("EACCES", data), code: "VolumeForbidden", because: "it is somebody else's" },
    { error: refused("EPERM", `${data}/staging`), code: "VolumeForbidden", because: "a policy forbids it" },
    { error: refused("ENOSPC", `${data}/registry.db`), code: "VolumeFull", because: "it is full" },
    { error: refused("EDQUOT", `${data}/blobs`), code: "VolumeFull", because: "our share is" },
    { error: refused("ENOTSUP", `${data}/lock`), code: "VolumeUnsuitable", because: "it cannot do that" },
    { error: ofSqlite(13), code: "VolumeFull", because: "the database finds no room" },
    { error: ofSqlite(3850), code: "VolumeUnsuitable", because: "a lock cannot be had (IOERR_LOCK)" },
    { error: ofSqlite(5386), code: "VolumeUnsuitable", because: "memory is not shared (IOERR_SHMMAP)" },
    { error: new DataInUseError("x"), code: "AlreadyActivated", because: "another one uses it" },
    {
      error: new InvalidConfigError("mode: write ReadOnly or ReadWrite"),
      code: "ConfigurationInvalid",
      because: "the settings are wrong",
    },
  ])("is $code: $because", async ({ error, code }) => {
    expect(await endingOf(error, data)).toEqual({ code, message: error.message });
  });

  it("names the other instance, where it has a name", async () => {
    const error = new DataInUseError("x", "pod-1");
    expect(await endingOf(error, data)).toEqual({ code: "AlreadyActivated", message: "x", holder: "pod-1" });
  });

  it.each([
    { error: refused("EACCES", "/etc/resolv.conf"), because: "that is no file of the data" },
    { error: refused("EACCES", `${data}-of-others/lock`), because: "that is another directory" },
    { error: refused("EADDRINUSE", data), because: "that says nothing of the volume" },
    { error: ofSqlite(11), because: "a damaged database is replaced" },
    { error: ofSqlite(1), because: "that is our own mistake" },
    { error: new TypeError("x is not a function"), because: "nobody expected it" },
    { error: "a text", because: "anything can be thrown" },
  ])("is nothing that people could mend: $because", async ({ error }) => {
    expect(await endingOf(error, data)).toBeUndefined();
  });
});

describe("a database that may not write", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ending-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As SQLite says it. */
  function readOnly(): unknown {
    const path = join(folder, "registry.db");
    new DatabaseSync(path).close();
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec("CREATE TABLE a (b)");
      return undefined;
    } catch (error) {
      return error;
    } finally {
      database.close();
    }
  }

  it("is told by its directory: there it could, so that the file is somebody else's", async () => {
    const error = readOnly();
    expect(hasCode(error, "ERR_SQLITE_ERROR")).toBe(true);
    expect(await endingOf(error, folder)).toMatchObject({ code: "VolumeForbidden" });
  });

  it("says nothing of a volume if there is no directory", async () => {
    expect(await endingOf(readOnly(), join(folder, "gone"))).toBeUndefined();
  });

  it("is left for the kubelet where it looks, and nowhere else", async () => {
    const path = join(folder, "termination-log");
    await leaveEnding(path, { code: "VolumeFull", message: "x" });
    await expect(readFile(path)).rejects.toThrow("ENOENT");
    await writeFile(path, "");
    await leaveEnding(path, { code: "VolumeFull", message: "x" });
    expect(parseEnding(await readFile(path, "utf8"))).toMatchObject({ code: "VolumeFull", message: "x" });
  });
});
