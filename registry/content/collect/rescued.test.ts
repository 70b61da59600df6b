import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type RegistryContent } from "../content.ts";
import { item, repository, streamOf } from "../testing/images.ts";

const layer = item("layer one");
const day = seconds(86_400);

describe("T53 files that a rescue of the database forgot", () => {
  let directory: string;
  let clock: ManualClock;
  let content: RegistryContent;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "rescued-"));
    // After every time that a file of this test has.
    clock = new ManualClock("2100-01-01T00:00:00Z");
    await open();
    await content.open(repository("team/a")).push(layer.descriptor, streamOf(layer));
    await content.close();
    await rm(join(directory, "registry.db"));
    await open();
  });

  afterEach(async () => {
    await content.close();
    await rm(directory, { recursive: true });
  });

  async function open(): Promise<void> {
    content = await openContent(directory, { clock, newId: randomUUID, quota: () => undefined });
  }

  const removed = async (mayExpire: boolean): Promise<number> => {
    const report = await content.collector.collect({ graceSeconds: 60, mayExpire: () => mayExpire });
    return report.removed.file;
  };

  test("stay for a week, and as long as the parent is away: a sync takes them up", async () => {
    expect(content.kept?.rescue).toMatchObject({ stage: "done" });
    await expect(removed(true)).resolves.toBe(0);
    await clock.advance(day);
    await content.close();
    await open();
    await expect(removed(true)).resolves.toBe(0);
    await clock.advance(day);
    await clock.advance(seconds(30 * 86_400));
    await expect(removed(false)).resolves.toBe(0);
    await expect(removed(true)).resolves.toBe(1);
  });
});
