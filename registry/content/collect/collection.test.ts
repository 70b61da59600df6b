import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, openMemoryContent } from "../content.ts";
import { image, item, repository, streamOf } from "../testing/images.ts";
import { describeCollection } from "./conformance.ts";

const directories: string[] = [];

afterAll(async () => {
  for (const made of directories) await rm(made, { recursive: true });
});

describeCollection("collecting garbage in memory", openMemoryContent);
describeCollection("collecting garbage in a directory", async (options) => {
  const directory = await mkdtemp(join(tmpdir(), "collect-"));
  directories.push(directory);
  return openContent(directory, options);
});

test("removes however many links there are, page by page", async () => {
  const clock = new ManualClock();
  const content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
  const target = content.open(repository("team/a"));
  const many = Array.from({ length: 1_200 }, (_, i) => item(`layer ${i}`));
  const manifest = image(item("{}"), many.slice(0, 600));
  for (const each of [item("{}"), ...many, manifest]) await target.push(each.descriptor, streamOf(each));
  await clock.advance(seconds(3600));
  const report = await content.collector.collect({ graceSeconds: 3600 });
  expect(report).toMatchObject({ removed: { link: 600, blob: 600 } });
  await expect(target.exists(many[599]!.descriptor)).resolves.toBe(true);
  await expect(target.exists(many[600]!.descriptor)).resolves.toBe(false);
  await content.close();
});
