import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Duration } from "luxon";
import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { Cache } from "./cache.ts";
import { makeBundle, makeFolder, makeProgram } from "./testing/fakes.ts";

const never = new AbortController().signal;
const key = "0123456789abcdef";
const bundle = makeBundle({ programs: ["anvil", "hammer"] });
const quiet = (): void => undefined;
let root: string;
let clock: ManualClock;
let cache: Cache;

beforeEach(async () => {
  root = await makeFolder();
  clock = new ManualClock();
  cache = new Cache(join(root, "deep", "cache"), clock);
});
afterEach(() => rm(root, { recursive: true }));

const entries = async (): Promise<readonly string[]> =>
  (await readdir(join(root, "deep", "cache"))).filter((name) => !name.startsWith(".lock-"));

async function fill(folder: string): Promise<void> {
  await makeProgram(folder, "anvil");
  await symlink("anvil", join(folder, "hammer"));
}

test("what was added is found, by that key only", async () => {
  await expect(cache.find(bundle, key)).resolves.toBeUndefined();
  const folder = await cache.add(bundle, key, fill, never, quiet);
  expect(folder).toBe(join(root, "deep", "cache", `anvil-1.2.3-${key}`));
  await expect(cache.find(bundle, key)).resolves.toBe(folder);
  await expect(cache.find(bundle, "fedcba9876543210")).resolves.toBeUndefined();
  await expect(cache.find({ ...bundle, version: "2.0.0" }, key)).resolves.toBeUndefined();
});

test.each([
  {
    name: "a filler that throws half-way",
    half: async (folder: string) => {
      await makeProgram(folder, "anvil");
      throw new Error("killed");
    },
    message: "killed",
  },
  {
    name: "a filler that forgets a program",
    half: async (folder: string) => {
      await makeProgram(folder, "anvil");
    },
    message: "not all of anvil, hammer came",
  },
])("$name leaves nothing", async ({ half, message }) => {
  await expect(cache.add(bundle, key, half, never, quiet)).rejects.toThrow(message);
  await expect(cache.find(bundle, key)).resolves.toBeUndefined();
  await expect(entries()).resolves.toStrictEqual([]);
});

test("what a killed run left is never found, and goes with the next build", async () => {
  const left = join(root, "deep", "cache", ".partial-anvil-killed");
  await fill(await mkdir(left, { recursive: true }).then(() => left));
  await mkdir(join(root, "deep", "cache", ".partial-anvil2-running"));
  await expect(cache.find(bundle, key)).resolves.toBeUndefined();
  await cache.add(bundle, key, fill, never, quiet);
  await expect(entries()).resolves.toStrictEqual([".partial-anvil2-running", `anvil-1.2.3-${key}`]);
});

test("an entry that somebody took a file from is made again", async () => {
  const folder = await cache.add(bundle, key, fill, never, quiet);
  await rm(join(folder, "anvil"));
  await expect(cache.find(bundle, key)).resolves.toBeUndefined();
  await cache.add(bundle, key, fill, never, quiet);
  await expect(readdir(folder)).resolves.toStrictEqual(["anvil", "hammer"]);
});

test("of two who ask at once, one fills and both get it", async () => {
  let fills = 0;
  const filling = Promise.withResolvers<undefined>();
  const slowly = async (folder: string): Promise<void> => {
    fills++;
    await filling.promise;
    await fill(folder);
  };
  let waits = 0;
  const waiting = (): void => {
    waits++;
  };
  const both = Promise.all([
    cache.add(bundle, key, slowly, never, waiting),
    new Cache(join(root, "deep", "cache"), clock).add(bundle, key, slowly, never, waiting),
  ]);
  while (clock.sleeping === 0) await clock.advance(seconds(0));
  expect(waits).toBeGreaterThan(0);
  filling.resolve(undefined);
  while (clock.sleeping > 0) await clock.advance(seconds(1));
  const [first, second] = await both;
  expect(first).toBe(second);
  expect(fills).toBe(1);
});

test("other versions stay until nobody has used them for two weeks", async () => {
  const add = (version: string): Promise<string> =>
    cache.add({ ...bundle, version }, key, fill, never, quiet);
  const days = (n: number): Promise<void> => clock.advance(Duration.fromObject({ days: n }));
  await add("1.0.0");
  await cache.find({ ...bundle, version: "1.0.0" }, key);
  await add("1.1.0");
  await cache.find({ ...bundle, version: "1.1.0" }, key);
  await writeFile(join(root, "deep", "cache", "anvil-notes"), "not ours");
  await days(10);
  await cache.find({ ...bundle, version: "1.0.0" }, key);
  await days(10);
  await add("1.2.0");
  await expect(entries()).resolves.toStrictEqual([`anvil-1.0.0-${key}`, `anvil-1.2.0-${key}`, "anvil-notes"]);
});
