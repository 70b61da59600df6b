import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResultCache } from "./result-cache.ts";

describe("ResultCache", () => {
  let folder: string;
  let cache: ResultCache;
  const fill = (text: string) => (target: string) => writeFile(join(target, "file"), text);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "result-cache-"));
    cache = new ResultCache(folder);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("makes a result once", async () => {
    const first = await cache.get("a", fill("first"));
    expect(await cache.get("a", fill("second"))).toBe(first);
    expect(await readFile(join(first, "file"), "utf8")).toBe("first");
  });

  test("makes it again once it is forgotten", async () => {
    await cache.get("a", fill("first"));
    await cache.forget("a");
    const again = await cache.get("a", fill("second"));
    expect(await readFile(join(again, "file"), "utf8")).toBe("second");
  });

  test("keeps nothing of a result that failed", async () => {
    const boom = new Error("boom");
    const failing = cache.get("a", async (target) => {
      await fill("half")(target);
      throw boom;
    });
    await expect(failing).rejects.toBe(boom);
    expect(await readdir(folder)).toEqual([]);
  });

  test("gives all who make the same at once one whole result", async () => {
    const both = Promise.withResolvers<undefined>();
    let makers = 0;
    const make = async (target: string): Promise<void> => {
      await fill(String(++makers))(target);
      if (makers === 2) both.resolve(undefined);
      await both.promise;
    };
    const [one, other] = await Promise.all([cache.get("a", make), cache.get("a", make)]);
    expect(one).toBe(other);
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("removes what a killed process left behind days ago, and nothing younger", async () => {
    for (const name of ["old.1.partial", "young.1.partial"]) await mkdir(join(folder, name));
    await utimes(join(folder, "old.1.partial"), new Date(0), new Date(0));
    await cache.get("a", fill("text"));
    expect((await readdir(folder)).sort()).toEqual(["a", "young.1.partial"]);
  });
});
