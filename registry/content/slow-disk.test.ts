import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openContent, type RegistryContent } from "./content.ts";
import type { ContentRepository } from "./repository.ts";
import { image, item, repository, streamOf, tag } from "./testing/images.ts";
import { SlowDisk } from "./testing/slow-disk.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const one = image(config, [layer]);
const two = image(config, []);

describe("content on a disk that takes its time to sync", () => {
  let directory: string;
  let disk: SlowDisk;
  let content: RegistryContent;
  let a: ContentRepository;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "slow-"));
    disk = new SlowDisk();
    content = await openContent(
      directory,
      { clock: new ManualClock(), newId: randomUUID, quota: () => undefined },
      disk,
    );
    a = content.open(repository("team/a"));
    for (const each of [config, layer, one]) await a.push(each.descriptor, streamOf(each));
    await a.tag(one.descriptor, tag("v1"));
    disk.slow = true;
  });

  afterEach(async () => {
    disk.slow = false;
    disk.finish();
    await content.close();
    await rm(directory, { recursive: true });
  });

  /** Everything that a pull and a listing need. */
  async function pull(): Promise<void> {
    await expect(a.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
    await expect(a.manifest(one.descriptor.digest)).resolves.toMatchObject({ descriptor: one.descriptor });
    await expect(a.blobSize(layer.descriptor.digest)).resolves.toBe(layer.bytes.length);
    await expect(a.readBlob(layer.descriptor.digest).then(buffer)).resolves.toEqual(layer.bytes);
    await expect(a.tagPage({ limit: 10 })).resolves.toEqual(["v1"]);
    await expect(content.page({ limit: 10 })).resolves.toEqual(["team/a"]);
  }

  test("serves pulls while a push waits for its blob, and while it waits for its manifest", async () => {
    const blob = item("layer two");
    const pushes = Promise.all([
      a.push(blob.descriptor, streamOf(blob)),
      a.push(two.descriptor, streamOf(two)),
    ]);
    await eventually(() => disk.running === 2);
    await expect(pull()).resolves.toBeUndefined();
    disk.slow = false;
    disk.finish();
    await pushes;
  });

  test("serves pulls at each step of emptying a long log", async () => {
    const text = "x".repeat(900_000);
    const large = Array.from({ length: 5 }, (_, n) =>
      image(config, [], { annotations: { n: String(n), text } }),
    );
    const pushes = Promise.all(large.map((each) => a.push(each.descriptor, streamOf(each))));
    const steps = new Set<string>();
    const ended: unknown[] = [];
    void pushes.then(() => ended.push(large));
    while (ended.length === 0 || !steps.has("sync db-wal")) {
      await eventually(() => disk.running > 0, "a sync");
      steps.add(disk.asked.at(-1) ?? "");
      await pull();
      disk.finish();
    }
    expect([...steps]).toEqual(["datasync db-wal", "sync db", "sync db-wal"]);
  });

  test("acknowledges what somebody else is just storing only when it is durable", async () => {
    const told: string[] = [];
    const first = a.push(two.descriptor, streamOf(two)).then(() => told.push("first"));
    await eventually(() => disk.running === 1);
    await expect(a.exists(two.descriptor)).resolves.toBe(true);
    const second = a.push(two.descriptor, streamOf(two)).then(() => told.push("second"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    disk.finish();
    await first;
    await eventually(() => disk.running === 1);
    expect(told).toEqual(["first"]);
    disk.finish();
    await second;
  });
});
