import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { milliseconds, seconds, systemClock as clock } from "../../../common/clock.ts";
import { openContent, type RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { image, item, repository, streamOf, tag, type Item } from "../testing/images.ts";

const graceSeconds = 10;
const duration = seconds(120);
const pushers = 4;
const config = item("{}", "application/vnd.oci.image.config.v1+json");
/** Few, so that pushers take from each other what the others have just let go. */
const layers = Array.from({ length: 12 }, (_, i) => item(Buffer.alloc(200_000, `layer ${i} `)));

/** As a client does: what is here is not sent, what another repository has is mounted. */
async function bring(target: ContentRepository, from: ContentRepository, layer: Item): Promise<void> {
  const { digest } = layer.descriptor;
  if ((await target.blobSize(digest)) !== undefined) await target.relyOnBlob(digest);
  else if (!(await target.mountBlob(digest, from.name))) await target.push(layer.descriptor, streamOf(layer));
}

async function pushAndDelete(content: RegistryContent, pusher: number, until: number): Promise<number> {
  const target = content.open(repository(`team/r${pusher % 2}`));
  const from = content.open(repository(`team/r${(pusher + 1) % 2}`));
  let pushes = 0;
  for (let turn = 0; clock.now().toMillis() < until; turn++) {
    const own = layers.filter((_, i) => (i + turn + pusher) % 3 === 0);
    const manifest = image(config, own, { annotations: { pusher: `${pusher}`, turn: `${turn}` } });
    for (const layer of [config, ...own]) await bring(target, from, layer);
    await clock.sleep(milliseconds((turn * 37) % 400));
    await target.putManifest(manifest.bytes, manifest.descriptor.mediaType, { tags: [tag(`p${pusher}`)] });
    for (const layer of own) {
      const bytes = await target.fetch(layer.descriptor).then(buffer);
      expect(bytes.equals(layer.bytes)).toBe(true);
    }
    await target.deleteManifest(manifest.descriptor.digest);
    // Long enough, now and then, for the garbage to be old.
    await clock.sleep(turn % 5 === 4 ? seconds(graceSeconds + 1) : milliseconds(50));
    pushes++;
  }
  return pushes;
}

test("T60 pushes and mounts succeed and read clean while garbage is collected all the time", async () => {
  const directory = await mkdtemp(join(tmpdir(), "stress-"));
  const content = await openContent(directory, { clock, newId: randomUUID, quota: () => undefined });
  const until = clock.now().plus(duration).toMillis();
  let removed = 0;
  const collecting = async (): Promise<void> => {
    while (clock.now().toMillis() < until) {
      const report = await content.collector.collect({ graceSeconds });
      expect(report).toMatchObject({ state: "Succeeded", faults: [] });
      removed += report.removed.blob;
      await clock.sleep(milliseconds(100));
    }
  };
  const pushing = Array.from({ length: pushers }, (_, n) => pushAndDelete(content, n, until));
  const [pushes] = await Promise.all([Promise.all(pushing), collecting()]);
  const total = pushes.reduce((sum, each) => sum + each, 0);
  process.stderr.write(`${total} images were pushed and deleted, ${removed} blobs removed\n`);
  expect(Math.min(...pushes)).toBeGreaterThan(5);
  expect(removed).toBeGreaterThan(5);
  await content.close();
  await rm(directory, { recursive: true });
});
