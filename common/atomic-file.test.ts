import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAtomically } from "./atomic-file.ts";

describe("writeAtomically", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "atomic-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  test("makes the file and the folders on the way, for nobody else to read", async () => {
    const path = join(folder, "a", "b", "file");
    await writeAtomically(path, "one", 0o600);
    await expect(readFile(path, "utf8")).resolves.toBe("one");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "a"))).mode & 0o777).toBe(0o700);
  });

  test("S52 replaces the file, its permissions and all, and leaves nothing else behind", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old and longer");
    await chmod(path, 0o666);
    await writeAtomically(path, "new", 0o600);
    await expect(readFile(path, "utf8")).resolves.toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(readdir(folder)).resolves.toEqual(["file"]);
  });

  test("leaves the old file, and nothing else, when it fails", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    const circular = { toString: () => path } as unknown as Uint8Array;
    await expect(writeAtomically(path, circular, 0o600)).rejects.toThrow();
    await expect(readFile(path, "utf8")).resolves.toBe("old");
    await expect(readdir(folder)).resolves.toEqual(["file"]);
  });
});
