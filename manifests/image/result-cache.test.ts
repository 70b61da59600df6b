import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { ResultCache } from "./result-cache.ts";

describe("ResultCache", () => {
  let folder: string;
  let cache: ResultCache;
  const clock = new ManualClock();
  const fill = (text: string) => (target: string) => writeFile(join(target, "file"), text);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "result-cache-"));
    cache = new ResultCache(folder, clock);
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

  test.each([
    { name: "a.partial", days: 2, kept: false, because: "a killed process left it behind" },
    { name: "a.partial", days: 0, kept: true, because: "somebody may be at it" },
    { name: "a", days: 15, kept: false, because: "nobody uses it any more" },
    { name: "a", days: 13, kept: true, because: "another checkout may use it" },
  ])("keeps $name that was used $days days ago: $kept, $because", async ({ name, days, kept }) => {
    await mkdir(join(folder, name));
    const used = clock.now().minus({ days }).toJSDate();
    await utimes(join(folder, name), used, used);
    await cache.get("b", fill("text"));
    expect(await readdir(folder)).toEqual(kept ? [name, "b"] : ["b"]);
  });

  test("keeps what is asked for again", async () => {
    const path = await cache.get("a", fill("text"));
    await utimes(path, new Date(0), new Date(0));
    await cache.get("a", fill("text"));
    await cache.get("b", fill("text"));
    expect((await readdir(folder)).sort()).toEqual(["a", "b"]);
  });
});
