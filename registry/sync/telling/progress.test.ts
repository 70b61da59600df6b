import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import type { TagCounts } from "../pass.ts";
import { RunProgress } from "./progress.ts";

const MiB = 1024 * 1024;
const tags = (more: Partial<TagCounts> = {}): TagCounts => ({
  ...{ selected: 10, upToDate: 0, copied: 0, failed: 0, postponed: 0 },
  ...more,
});

describe("the progress of a sync", () => {
  let clock: ManualClock;
  let received: number;
  let progress: RunProgress;
  let stop: AbortController;
  let following: Promise<void>;
  let shown: number;

  beforeEach(() => {
    clock = new ManualClock();
    received = 1000;
    shown = 0;
    progress = new RunProgress(clock, () => received);
    stop = new AbortController();
    following = progress.follow(() => (shown += 1), stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await following;
  });

  /** So many seconds pass in which so many bytes come, each second the same. */
  async function pass(times: number, bytes: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      received += bytes / times;
      await clock.advance(seconds(1));
    }
  }

  test("counts bytes from its beginning, and repositories that are done", () => {
    received += 500;
    progress.planned(
      3,
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
    );
    progress.settled("a");
    progress.settled("b");
    expect(progress.at(tags())).toMatchObject({ bytes: 500, repositories: { planned: 3, done: 2 } });
    progress.settled("a");
    expect(progress.at(tags())).toMatchObject({ repositories: { planned: 3, done: 3 } });
  });

  test("knows what is planned and what is saved as far as images were looked at", () => {
    progress.wanted(300).arrived();
    progress.wanted(200).found(50);
    progress.saved(700);
    expect(progress.at(tags())).toMatchObject({ bytesPlanned: 450, bytesSaved: 750 });
  });

  test("is shown every second", async () => {
    await pass(7, 0);
    expect(shown).toBe(7);
  });

  test("has the rate of the last half minute while it runs, and of the whole in the end", async () => {
    await pass(60, 60 * MiB);
    await pass(30, 60 * MiB);
    expect(progress.at(tags()).bytesPerSecond).toBe(2 * MiB);
    expect(progress.at(tags(), clock.now()).bytesPerSecond).toBe(Math.round((120 * MiB) / 90));
  });

  test("says nothing of its end as long as that would be a guess", async () => {
    expect(progress.at(tags())).not.toHaveProperty("estimatedEndTime");
    await pass(10, MiB);
    expect(progress.at(tags())).not.toHaveProperty("estimatedEndTime");
    progress.begun();
    progress.wanted(10 * MiB);
    expect(progress.at(tags(), clock.now())).not.toHaveProperty("estimatedEndTime");
  });

  test.each([
    {
      because: "two of ten images told what the others are like",
      images: [40, 40],
      came: 40,
      settled: 1,
      left: 360,
    },
    { because: "one image is all", images: [100], came: 40, settled: 0, all: 1, left: 60 },
  ])(
    "takes the rest to be like what is known: $because",
    async ({ images, came, settled, all = 10, left }) => {
      const arrivals = images.map((size) => {
        progress.begun();
        return progress.wanted(size * MiB);
      });
      await pass(40, came * MiB);
      for (const { arrived } of arrivals.slice(0, settled)) arrived();
      const { estimatedEndTime } = progress.at(tags({ selected: all, copied: settled }));
      const seconds_ = clock.now().plus({ seconds: left }).toISO();
      expect(estimatedEndTime).toBe(seconds_);
    },
  );

  test("goes by the images where next to nothing is missing of each", async () => {
    for (let i = 0; i < 5; i++) {
      progress.begun();
      progress.saved(MiB);
    }
    await pass(10, 1000);
    const { estimatedEndTime } = progress.at(tags({ copied: 5 }));
    expect(estimatedEndTime).toBe(clock.now().plus({ seconds: 10 }).toISO());
  });

  test("T58 does not mind a clock that is set meanwhile", async () => {
    await pass(10, 10 * MiB);
    clock.set("2030-01-01T00:00:00Z");
    await pass(10, 10 * MiB);
    expect(progress.at(tags()).bytesPerSecond).toBe(MiB);
  });
});
