import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent } from "../content.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
import type { ContentRepository } from "../repository.ts";
import { families, image, item, repository, streamOf, type Item } from "../testing/images.ts";
import { expectToEndWell, races } from "./testing/races.ts";

const day = seconds(86_400);
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const other = item("layer two");

async function pushAll(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
  for (const each of items) await target.push(each.descriptor, streamOf(each));
}

/** More combinations are in the long suite. */
describe.each(families)("T60 a collection and, with $family images,", ({ manifest, index }) => {
  test.each(races(manifest, index))(
    "$what: at whichever step it comes, the push ends well and all of it stays",
    async (race) => {
      let steps = 1;
      for (let step = 1; step <= steps; step++) {
        // All parts at once, two and one later, one and two later, and the same with the first part at the beginning.
        const at = [[step, step, step], [step, step], [step], [1, step], [1, 1, step]][step % 5]!;
        steps = Math.max(steps, await expectToEndWell(race, at));
      }
      expect(steps).toBeGreaterThan(5);
    },
    60_000,
  );
});

describe("T60 while a file is being removed", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "races-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test.each([
    { what: "a push", begin: (a: ContentRepository) => pushAll(a, layer) },
    {
      what: "a transfer",
      begin: async (a: ContentRepository) => {
        const ingest = await a.ingest(layer.descriptor);
        if (ingest.offset < layer.bytes.length) await ingest.write(streamOf(layer));
        await ingest.commit();
      },
    },
  ])("$what of the same bytes waits, and keeps its file", async ({ begin }) => {
    const clock = new ManualClock("2100-01-01T00:00:00Z");
    let pushed: Promise<void> | undefined;
    let push = (): Promise<void> => Promise.resolve();
    const files: FileSystem = {
      ...nodeFiles,
      remove: async (path) => {
        if (path.startsWith(join(directory, "blobs")) && pushed === undefined) {
          pushed = push();
          // As long as the push may take to get as far as it can.
          for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        }
        await nodeFiles.remove(path);
      },
    };
    const content = await openContent(directory, { clock, newId: randomUUID, quota: () => undefined }, files);
    const a = content.open(repository("team/a"));
    await pushAll(a, layer);
    await clock.advance(day);
    push = () => begin(a);
    const report = await content.collector.collect({ graceSeconds: 3600 });
    expect(report).toMatchObject({ state: "Succeeded", removed: { blob: 1 } });
    await pushed;
    await expect(a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
    await content.close();
  });

  test("files that no row knows go after the grace period, and what is not ours stays", async () => {
    const clock = new ManualClock("2100-01-01T00:00:00Z");
    const options = { clock, newId: randomUUID, quota: () => undefined };
    const content = await openContent(directory, options);
    const a = content.open(repository("team/a"));
    await pushAll(a, layer, other, image(layer, [other]));
    const { digest } = config.descriptor;
    const staged = await content.scrubbed.blobs.stage("push-x");
    await staged.append(streamOf(config));
    await staged.publish(digest);
    const hex = digest.slice("sha256:".length);
    const folder = join(directory, "blobs", "sha256", hex.slice(0, 2));
    const foreign = join(folder, "notes.txt");
    await (await nodeFiles.open(foreign, "w")).close();

    await expect(content.collector.collect({ graceSeconds: 200 * 365 * 86_400 })).resolves.toMatchObject({
      removed: { file: 0 },
    });
    await expect(content.collector.collect({ graceSeconds: 3600 })).resolves.toMatchObject({
      removed: { file: 1, blob: 0 },
      bytes: config.bytes.length,
    });
    await expect(nodeFiles.list(folder)).resolves.toContain("notes.txt");
    await expect(nodeFiles.list(folder)).resolves.not.toContain(hex);
    await expect(a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
    await content.close();
  });
});
