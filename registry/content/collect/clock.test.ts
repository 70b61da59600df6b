import { randomUUID } from "node:crypto";
import { seconds } from "../../../common/clock.ts";
import { contentSettings } from "../../../common/contract/content-settings.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openMemoryContent, type RegistryContent } from "../content.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";
import { Ages } from "./ages.ts";
import type { Pace } from "./pace.ts";

const hour = 3_600_000;
const config = item("{}", "application/vnd.oci.image.config.v1+json");

describe("T58 the time by which ages are judged", () => {
  const clock = new ManualClock("2026-01-01T00:00:00Z");
  const ages = new Ages(clock);
  const at = (time: string): number => Date.parse(time);

  test.each<{ because: string; set?: string; passes: number; expected: string }>([
    { because: "is the present", passes: 60, expected: "2026-01-01T00:01:00Z" },
    {
      because: "ignores what is only corrected",
      set: "2026-01-01T00:01:59Z",
      passes: 0,
      expected: "2026-01-01T00:01:59Z",
    },
    {
      because: "goes on as before",
      set: "2029-06-01T00:00:00Z",
      passes: 1,
      expected: "2026-01-01T00:02:00Z",
    },
    { because: "for the grace period", passes: 3598, expected: "2026-01-01T01:01:58Z" },
    { because: "and after it believes the clock", passes: 2, expected: "2029-06-01T01:00:01Z" },
    {
      because: "believes one that is set back",
      set: "2026-03-01T00:00:00Z",
      passes: 1,
      expected: "2026-03-01T00:00:01Z",
    },
  ])("$because", async ({ set, passes, expected }) => {
    if (set !== undefined) clock.set(set);
    // As the service asks: now and then, and not only when it is needed.
    ages.now(hour);
    await clock.advance(seconds(passes));
    expect(ages.now(hour)).toBe(at(expected));
  });
});

describe("retention", () => {
  let clock: ManualClock;
  let content: RegistryContent;

  beforeEach(async () => {
    clock = new ManualClock("2026-01-01T00:00:00Z");
    content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
  });

  afterEach(async () => {
    await content.close();
  });

  const images = ["one", "two", "three", "four"].map((n) => image(config, [], { annotations: { n } }));
  const here = (): ReturnType<RegistryContent["open"]> => content.open(repository("team/a"));

  test("T58 tags that were pushed while the clock was wrong stay, and do not take the places of others", async () => {
    const retention = contentSettings.retention.parse([
      { repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] },
    ]);
    await here().push(config.descriptor, streamOf(config));
    clock.set("2029-01-01T00:00:00Z");
    for (const [at, { bytes, descriptor }] of images.entries()) {
      await here().putManifest(bytes, descriptor.mediaType, { tags: [tag(`v${at}`)] });
      await clock.advance(seconds(60));
      if (at === 1) clock.set("2026-01-02T00:00:00Z");
    }
    await clock.advance(seconds(86_400));
    await content.collector.collect({ graceSeconds: 60, retention });
    await expect(here().tagPage({ limit: 9 })).resolves.toEqual(["v0", "v1", "v3"]);
  });

  test("T16 what is pulled while a collection runs stays", async () => {
    const retention = contentSettings.retention.parse([
      { repositories: ["**"], tags: [], untaggedAfterSeconds: 60 },
    ]);
    const [pulled, other] = images as [typeof config, typeof config];
    for (const each of [config, pulled, other]) await here().push(each.descriptor, streamOf(each));
    await content.collector.collect({ graceSeconds: 60, retention });
    await clock.advance(seconds(3600));
    let steps = 0;
    const pace: Pace = {
      breathe: async () => {
        // Not before it has asked who was pulled.
        if (++steps > 2) here().pulled(pulled.descriptor.digest);
      },
    };
    await content.collector.collect({ graceSeconds: 60, retention }, undefined, pace);
    await expect(here().exists(pulled.descriptor)).resolves.toBe(true);
    await expect(here().exists(other.descriptor)).resolves.toBe(false);
  });
});
