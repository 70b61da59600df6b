import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "./content.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import { isStorageFull } from "./quota.ts";
import { image, item, repository, streamOf, tag } from "./testing/images.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(Buffer.alloc(100_000, "layer"));
const one = image(config, [layer]);
const options: ContentOptions = { clock: new ManualClock(), newId: randomUUID, quota: () => undefined };

/** A file system on which operation number `count` and all later ones fail: the process is as good as dead. */
function failing(
  count: number,
  fault: () => Error,
  once = false,
): { files: FileSystem; reached: () => boolean; heal: () => void } {
  let done = 0;
  let healed = false;
  const step = (): void => {
    if (healed) return;
    done++;
    if (done === count || (!once && done > count)) throw fault();
  };
  const wrap = (handle: FileHandle): FileHandle =>
    new Proxy(handle, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...values: unknown[]): unknown => {
          if (key === "write" || key === "sync" || key === "truncate") step();
          // A full disk says so when it is written to. Where the log of the database cannot be synced, it is the end.
          if (key === "datasync" && !once) step();
          return Reflect.apply(value as (...all: unknown[]) => unknown, target, values);
        };
      },
    });
  const files: FileSystem = {
    open: async (...values) => {
      step();
      return wrap(await nodeFiles.open(...values));
    },
    rename: async (from, to) => {
      step();
      await nodeFiles.rename(from, to);
    },
    makeDirectories: async (path) => {
      step();
      return nodeFiles.makeDirectories(path);
    },
    list: nodeFiles.list,
    stat: nodeFiles.stat,
    remove: async (path) => {
      step();
      await nodeFiles.remove(path);
    },
  };
  const heal = (): void => {
    healed = true;
  };
  return { files, reached: () => done >= count, heal };
}

async function pushImage(content: RegistryContent, acknowledged: string[]): Promise<void> {
  const target = content.open(name);
  for (const each of [config, layer, one]) {
    await target.push(each.descriptor, streamOf(each));
    acknowledged.push(each.descriptor.digest);
  }
  await target.tag(one.descriptor, tag("v1"));
  acknowledged.push("v1");
}

/** What every start must find, whatever happened before. */
async function expectWhole(content: RegistryContent, acknowledged: readonly string[]): Promise<void> {
  const target = content.open(name);
  for (const each of [config, layer, one]) {
    const there = await target.exists(each.descriptor);
    if (acknowledged.includes(each.descriptor.digest)) expect(there).toBe(true);
    if (there) expect((await target.fetch(each.descriptor).then(buffer)).equals(each.bytes)).toBe(true);
  }
  if (await target.exists(one.descriptor)) {
    await expect(target.exists(layer.descriptor)).resolves.toBe(true);
    await expect(target.exists(config.descriptor)).resolves.toBe(true);
  }
  if (acknowledged.includes("v1")) await expect(target.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
}

describe("T81 after a fault at any step of a push", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "crash-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test("the next start finds everything whole and nothing acknowledged lost, and the push can be done again", async () => {
    let steps = 0;
    for (let count = 1; ; count++) {
      const path = join(directory, String(count));
      const { files, reached } = failing(count, () => new Error("killed"));
      const acknowledged: string[] = [];
      const content = await openContent(path, options, files).catch(() => undefined);
      if (content !== undefined) {
        await pushImage(content, acknowledged).catch(() => undefined);
        await content.close();
      }
      const after = await openContent(path, options);
      await expectWhole(after, acknowledged);
      await expect(readdir(join(path, "staging"))).resolves.toEqual([]);
      await pushImage(after, acknowledged);
      await expectWhole(after, acknowledged);
      await after.close();
      if (!reached()) break;
      steps = count;
    }
    expect(steps).toBeGreaterThan(15);
  }, 60_000);

  test("a disk that was full for one step does no damage, and the same process goes on when there is room", async () => {
    const full = (): Error => Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const refusals: unknown[] = [];
    for (let count = 6; ; count++) {
      const path = join(directory, String(count));
      const { files, reached, heal } = failing(count, full, true);
      const acknowledged: string[] = [];
      const content = await openContent(path, options, files).catch(() => undefined);
      if (content !== undefined) {
        await pushImage(content, acknowledged).catch((error: unknown) => refusals.push(error));
        heal();
        await expectWhole(content, acknowledged);
        await pushImage(content, acknowledged);
        await expectWhole(content, acknowledged);
        await content.close();
      }
      if (!reached()) break;
    }
    expect(refusals.length).toBeGreaterThan(10);
    for (const refusal of refusals) expect(isStorageFull(refusal)).toBe(true);
  }, 60_000);
});
