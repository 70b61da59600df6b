import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DataInUseError, holdLock } from "./lock.ts";

/** What another program would do to use the data. */
const taking = `
  const { DatabaseSync } = require("node:sqlite");
  new DatabaseSync(process.argv[1], { timeout: 0 }).exec("BEGIN EXCLUSIVE");
`;

test("another process cannot take what is ours, also after we tried to take it again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lock-"));
  const path = join(directory, "lock");
  const other = (): Promise<unknown> =>
    promisify(execFile)(process.execPath, ["-e", taking, path], { env: {} });
  const release = holdLock(path);
  expect(() => holdLock(path)).toThrow(DataInUseError);
  await expect(other()).rejects.toThrow("database is locked");
  release();
  await expect(other()).resolves.toBeDefined();
  await rm(directory, { recursive: true });
});
