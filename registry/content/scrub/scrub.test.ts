import { randomUUID } from "node:crypto";
import { mkdtemp, open, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import type { ScrubSettings } from "../../../common/contract/content-settings.ts";
import { hexOf } from "../../../common/oci/digest.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { openContent, type RegistryContent } from "../content.ts";
import { checkDatabase } from "../rescue/checkup.ts";
import { families, image, index, item, repository, streamOf, tag, type Item } from "../testing/images.ts";
import { Pace } from "./pace.ts";
import { Scrub } from "./scrub.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(Buffer.alloc(200_000, "layer"));
const fine = item(Buffer.alloc(100_000, "fine"));
const day = seconds(24 * 3600);

describe("T82 a scrub", () => {
  let directory: string;
  let clock: ManualClock;
  let content: RegistryContent;
  let settings: ScrubSettings;
  let wanted: number;
  let judged: string[];
  let completed: number;
  let stop: AbortController;
  let running: Promise<void>;
  let scrub: Scrub;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "scrub-"));
    clock = new ManualClock();
    settings = { enabled: true, schedule: "0 4 * * *", bytesPerSecond: 1e12 };
    wanted = 0;
    judged = [];
    completed = 0;
    await start();
  });

  afterEach(async () => {
    await end();
    await rm(directory, { recursive: true });
  });

  const start = async (): Promise<void> => {
    content = await openContent(directory, {
      clock,
      newId: randomUUID,
      quota: () => undefined,
      checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
    });
    const { kept } = content;
    scrub = new Scrub({
      ...content.scrubbed,
      settings: () => settings,
      checkDatabase: async () => {
        if (kept !== undefined) await scrub.checked(await kept.backups.take(kept.database));
      },
      wanted: () => {
        wanted++;
      },
      metrics: {
        judged: (kind, finding) => judged.push(`${kind} ${finding}`),
        completed: () => {
          completed++;
        },
      },
      clock,
      log: silentLog,
    });
    stop = new AbortController();
    running = scrub.run(stop.signal);
    await eventually(() => clock.sleeping > 0, "the scrub to rest");
  };

  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    await content.close();
  };

  const push = async (...pushed: readonly Item[]): Promise<void> => {
    for (const each of pushed) await content.open(name).push(each.descriptor, streamOf(each));
  };

  const pathOf = ({ descriptor }: Item): string => {
    const hex = hexOf(descriptor.digest);
    return join(directory, "blobs", "sha256", hex.slice(0, 2), hex);
  };

  const flip = async (each: Item): Promise<void> => {
    const file = await open(pathOf(each), "r+");
    await file.write(Buffer.from("!"), 0, 1, 1);
    await file.close();
  };

  const oneRound = async (): Promise<void> => {
    const before = completed;
    await clock.advance(day);
    await eventually(() => completed > before, "the end of a scrub");
    await eventually(() => clock.sleeping > 0, "the scrub to rest");
  };

  const isServed = async (each: Item): Promise<boolean> =>
    (await content.open(name).blobSize(each.descriptor.digest)) !== undefined;

  describe.each(families)("of $family images", ({ manifest, index: indexType }) => {
    const one = image(config, [layer, fine], { mediaType: manifest });
    const two = image(config, [fine], { mediaType: manifest });
    const all = index([one, two], indexType);

    test.each([
      { what: "layer", bad: layer },
      { what: "config", bad: config },
    ])("finds one wrong byte in a $what, hides it, asks for a good copy, and takes it", async ({ bad }) => {
      await push(config, layer, fine, one, two, all);
      await content.open(name).tag(one.descriptor, tag("v1"));
      await flip(bad);
      await oneRound();
      expect(wanted).toBe(1);
      await expect(isServed(bad)).resolves.toBe(false);
      await expect(isServed(fine)).resolves.toBe(true);
      // What the sync asks: is all of it here?
      await expect(content.open(name).exists(bad.descriptor)).resolves.toBe(false);
      await expect(content.open(name).exists(one.descriptor)).resolves.toBe(true);
      await expect(readdir(join(directory, "quarantine"))).resolves.toHaveLength(1);
      expect(content.scrubbed.quarantine.list(10)).toMatchObject([
        { digest: bad.descriptor.digest, kind: "blob", reason: "its bytes have another digest" },
      ]);
      // A manifest that needs it is not taken, as if it had never been here.
      const other = image(bad, [bad], { mediaType: manifest });
      await expect(push(other)).rejects.toMatchObject({ digest: bad.descriptor.digest });

      await push(bad);
      await expect(isServed(bad)).resolves.toBe(true);
      expect(content.scrubbed.quarantine.count).toBe(0);
      await oneRound();
      expect(wanted).toBe(1);
      await expect(readdir(join(directory, "quarantine"))).resolves.toEqual([]);
    });

    test("finds one wrong byte in a manifest, takes it out with its tags, and takes a good copy", async () => {
      await push(config, layer, fine, one, two, all);
      await content.open(name).tag(one.descriptor, tag("v1"));
      await content.open(name).tag(all.descriptor, tag("all"));
      const spoilt = Buffer.from(one.bytes);
      spoilt[5] = 0;
      const { database } = content.scrubbed;
      await database.change(() => {
        const sql = "UPDATE manifest_contents SET bytes = ? WHERE digest = ?";
        database.statements.run(sql, spoilt, one.descriptor.digest);
      });
      // Whoever reads the database again reads what the disk has.
      await end();
      await start();
      await oneRound();
      expect(wanted).toBe(1);
      await expect(content.open(name).manifest(one.descriptor.digest)).rejects.toThrow(
        "not in the repository",
      );
      await expect(content.open(name).resolve(tag("v1"))).rejects.toThrow("no tag");
      expect(content.scrubbed.quarantine.list(10)).toMatchObject([{ kind: "manifest" }]);
      await push(one);
      await content.open(name).tag(one.descriptor, tag("v1"));
      await expect(content.open(name).resolve(tag("all"))).resolves.toEqual(all.descriptor);
      expect(content.scrubbed.quarantine.count).toBe(0);
    });
  });

  test("a file that is gone or cut short is not served, and whoever asks for it makes it wanted", async () => {
    await push(config, layer, fine);
    await truncate(pathOf(layer), 10);
    await rm(pathOf(fine));
    await expect(isServed(layer)).resolves.toBe(false);
    await expect(isServed(fine)).resolves.toBe(false);
    await eventually(() => wanted === 2, "both to be wanted");
    expect(content.scrubbed.quarantine.list(10).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["its file is gone", "it has 10 bytes instead of 200000"]),
    );
    // Asked again it is no news.
    await expect(isServed(layer)).resolves.toBe(false);
    await push(layer, fine);
    await expect(isServed(layer)).resolves.toBe(true);
    await expect(isServed(fine)).resolves.toBe(true);
    expect(content.scrubbed.quarantine.count).toBe(0);
    expect(wanted).toBe(2);
  });

  test("a file that is cut short while it is read ends the reading, and is wanted again", async () => {
    await push(layer);
    const open = await content.open(name).openBlob(layer.descriptor.digest);
    if (open instanceof Uint8Array) throw new Error("the layer is too large to be read at once");
    const into = Buffer.alloc(1_000);
    await expect(open.read(into, 0)).resolves.toBe(1_000);
    await truncate(pathOf(layer), 1_000);
    await expect(open.read(into, 1_000)).resolves.toBe(0);
    await open.close();
    await eventually(() => wanted === 1, "it to be wanted");
    await expect(isServed(layer)).resolves.toBe(false);
  });

  test("a file that a reader could not read is read as a whole, and not only measured", async () => {
    await push(layer);
    await flip(layer);
    content.scrubbed.suspects.report(layer.descriptor.digest);
    await eventually(() => wanted === 1, "it to be wanted");
    await expect(isServed(layer)).resolves.toBe(false);
  });

  test("what was deleted meanwhile is no loss", async () => {
    await push(config);
    await content.open(name).deleteBlob(config.descriptor.digest);
    const { database } = content.scrubbed;
    await database.change(() => database.statements.run("DELETE FROM blobs"));
    content.scrubbed.suspects.report(config.descriptor.digest);
    await oneRound();
    expect({ wanted, judged }).toEqual({ wanted: 0, judged: [] });
  });

  test("a mount, too, sees only what is sound", async () => {
    await push(config);
    await rm(pathOf(config));
    await expect(isServed(config)).resolves.toBe(false);
    await eventually(() => wanted === 1, "it to be wanted");
    const { digest } = config.descriptor;
    await expect(content.open(repository("team/b")).mountBlob(digest, name)).resolves.toBe(false);
    await expect(content.open(name).deleteBlob(digest)).resolves.toBeUndefined();
  });

  test("goes on after a restart where it was, and makes up for a moment that it missed", async () => {
    settings = { ...settings, bytesPerSecond: 65_536 };
    const many = Array.from({ length: 120 }, (_, at) => item(Buffer.alloc(1_000, `${at},`)));
    await push(...many);
    await clock.advance(day);
    while ((scrub.progress?.blobs ?? 0) < 50) {
      await eventually(() => clock.sleeping > 0, "a pause");
      await clock.advance(seconds(1));
    }
    const before = scrub.progress;
    expect(before?.endedAt).toBeUndefined();
    await end();
    judged = [];
    settings = { ...settings, bytesPerSecond: 1e12 };
    await start();
    await eventually(() => completed === 1, "the end of the scrub");
    expect(judged).toHaveLength(120 - (before?.blobs ?? 0));
    expect(scrub.progress).toMatchObject({ blobs: 120, bytes: 120_000, found: 0 });

    await eventually(() => clock.sleeping > 0, "the scrub to rest");
    await end();
    await clock.advance(seconds(3 * 24 * 3600));
    await start();
    await eventually(() => completed === 2, "the scrub that was missed");
  });

  test("a good copy that comes while the damaged one is still in its place is what readers get, also small ones", async () => {
    await push(config);
    await flip(config);
    const { digest } = config.descriptor;
    await content.open(name).openBlob(digest);
    expect(content.open(name).recentBlob(digest)).toEqual(Buffer.from("{!"));
    const unpin = content.open(name).pin([digest]);
    await oneRound();
    await push(config);
    unpin();
    const read = await content.open(name).openBlob(digest);
    expect(read).toEqual(Buffer.from("{}"));
    expect(content.open(name).recentBlob(digest)).toEqual(Buffer.from("{}"));
  });

  test("a transfer that relied on a blob which is then found damaged does not make it good", async () => {
    await push(layer);
    const ingest = await content.open(repository("team/b")).ingest(layer.descriptor);
    expect(ingest.offset).toBe(layer.bytes.length);
    await flip(layer);
    await oneRound();
    await expect(ingest.commit()).rejects.toThrow("has just been found damaged");
    await expect(isServed(layer)).resolves.toBe(false);
    await push(layer);
    await expect(isServed(layer)).resolves.toBe(true);
  });

  test("bytes that came after those that were found damaged are not hidden", async () => {
    await push(config);
    const { quarantine, blobs } = content.scrubbed;
    const { digest, size } = config.descriptor;
    const cameAt = (await blobs.stat(digest))?.cameAt ?? 0;
    await expect(quarantine.blob(digest, size, "damaged", cameAt - 1)).resolves.toBe(false);
    await expect(quarantine.blob(digest, size, "gone")).resolves.toBe(false);
    await expect(isServed(config)).resolves.toBe(true);
  });

  test("T58 is made by its schedule again after the clock was set back", async () => {
    const { database } = content.scrubbed;
    await database.change(() => {
      database.statements.run("UPDATE scrub SET begun_at = 4e12, ended_at = 4e12");
    });
    await oneRound();
    expect(scrub.progress?.begunAt).toBeLessThanOrEqual(clock.now().toMillis());
  });

  test("switched off it reads nothing by itself", async () => {
    settings = { ...settings, enabled: false };
    await push(config, layer);
    await flip(layer);
    await clock.advance(seconds(10 * 24 * 3600));
    expect({ completed, judged }).toEqual({ completed: 0, judged: [] });
  });

  test("a count of bytes that is wrong is made anew", async () => {
    await push(config, layer);
    const { database } = content.scrubbed;
    await database.change(() => database.statements.run("UPDATE usage SET bytes = 1"));
    await oneRound();
    await expect(content.usage()).resolves.toBe(2 + 200_000);
  });
});

describe("T84 the pace of a scrub", () => {
  test("is what is allowed, also with many small files, and follows the settings", async () => {
    const clock = new ManualClock();
    let rate = 100_000;
    const pace = new Pace(() => rate, clock);
    const { signal } = new AbortController();
    const read = async (bytes: number): Promise<number> => {
      const before = clock.now().toMillis();
      let done = false;
      const reading = (async () => {
        for (let left = bytes; left > 0; left -= 10_000) await pace.take(10_000, signal);
        done = true;
      })();
      await clock.advance(seconds(0));
      while (!done) await clock.advance(seconds(0.01));
      await reading;
      return (clock.now().toMillis() - before) / 1000;
    };
    expect(Math.abs((await read(1_000_000)) - 10)).toBeLessThan(0.2);
    rate = 1_000_000;
    expect(Math.abs((await read(1_000_000)) - 1)).toBeLessThan(0.2);
    const opened = pace.file(signal);
    await clock.advance(seconds(0.001));
    await expect(opened).resolves.toBeUndefined();
  });

  test("ends at once when it must", async () => {
    const stop = new AbortController();
    const pace = new Pace(() => 1, new ManualClock());
    const waiting = pace.take(1_000_000, stop.signal);
    stop.abort(new Error("stopping"));
    await expect(waiting).rejects.toThrow("stopping");
  });
});
