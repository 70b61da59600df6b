import { seconds } from "../../common/clock.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { image, item, repository, type Item } from "../content/testing/images.ts";
import { PollPace } from "./schedule/poll-pace.ts";
import { poll, settings, World } from "./testing/world.ts";

function imageOf(text: string): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  return [config, image(config, [])];
}

describe("the rest between two polls", () => {
  test.each([
    { because: "is short at first", quiet: 0, rest: 5 },
    { because: "and for ten times as long", quiet: 50, rest: 5 },
    { because: "then a tenth of the time since the last change", quiet: 200, rest: 20 },
    { because: "to a limit", quiet: 100_000, rest: 60 },
  ])("$because", async ({ quiet, rest }) => {
    const clock = new ManualClock();
    const pace = new PollPace(clock, seconds(5), seconds(60));
    await clock.advance(seconds(quiet));
    expect(pace.interval.toMillis()).toBe(rest * 1000);
    pace.changed();
    expect(pace.interval.toMillis()).toBe(5000);
  });

  test("is never shorter than the shortest, whatever the limit", async () => {
    const clock = new ManualClock();
    const pace = new PollPace(clock, seconds(300), seconds(60));
    await clock.advance(seconds(100_000));
    expect(pace.interval.toMillis()).toBe(300_000);
  });

  test("T58 does not go by a clock that somebody sets", () => {
    const clock = new ManualClock();
    const pace = new PollPace(clock, seconds(5), seconds(60));
    clock.set("2031-01-01T00:00:00Z");
    expect(pace.interval.toMillis()).toBe(5000);
    clock.set("1999-01-01T00:00:00Z");
    expect(pace.interval.toMillis()).toBe(5000);
  });
});

describe("a sync of which nobody wants anything", () => {
  let world: World;

  /** How often the parent is asked for its repositories, and at all, within so many seconds. */
  const asksWithin = async (duration: number): Promise<{ polls: number; all: number }> => {
    world.parent.asked.splice(0);
    for (let second = 0; second < duration; second++) await world.clock.advance(seconds(1));
    const all = world.parent.asked.splice(0);
    return { polls: all.filter((ask) => ask === "list").length, all: all.length };
  };

  beforeEach(async () => {
    world = await World.create();
    world.configure(settings({ pollIntervalSeconds: 2, maxPollIntervalSeconds: 60 }));
    await world.parent.put("apps/hello", imageOf("a"), "1");
    await world.startAndSync();
  });

  afterEach(() => world.close());

  test("T35 asks the less the longer nothing changes, and signs of life grow rarer with it", async () => {
    const first = await asksWithin(20);
    expect(first.polls).toBeGreaterThanOrEqual(9);
    await asksWithin(1200);
    const later = await asksWithin(120);
    expect(later.polls).toBe(2);
    expect(later.all).toBeLessThanOrEqual(12);
  });

  test.each<{ because: string; seen: number; happens: () => void | Promise<void> }>([
    {
      because: "something has changed at the parent, once that is seen",
      seen: 61,
      happens: () => world.parent.put("apps/hello", imageOf("b"), "1"),
    },
    {
      because: "a person asks",
      seen: 0,
      happens: () => {
        world.configure(
          settings({ pollIntervalSeconds: 2, maxPollIntervalSeconds: 60, resyncRequest: "one" }),
        );
      },
    },
    {
      because: "content is missed here",
      seen: 0,
      happens: async () => {
        const [, manifest] = imageOf("a");
        await world.content.open(repository("apps/hello")).deleteManifest(manifest!.descriptor.digest);
        world.recover();
      },
    },
  ])("asks often again when $because", async ({ seen, happens }) => {
    await asksWithin(1200);
    await happens();
    await asksWithin(seen);
    expect((await asksWithin(20)).polls).toBeGreaterThanOrEqual(5);
  });

  test("waits no longer than the shortest rest when content is missed", async () => {
    await asksWithin(1190);
    const [, manifest] = imageOf("a");
    const here = world.content.open(repository("apps/hello"));
    await eventually(() => world.clock.sleeping > 0);
    await here.deleteManifest(manifest!.descriptor.digest);
    world.recover();
    await asksWithin(3);
    await expect(here.exists(manifest!.descriptor)).resolves.toBe(true);
  });
});

describe("T58 a clock that is set while a registry runs", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    await world.parent.put("apps/hello", imageOf("a"), "1");
  });

  afterEach(() => world.close());

  test.each([
    { to: "1999-01-01T00:00:00Z", because: "back by decades" },
    { to: "2031-06-01T00:00:00Z", because: "forward by years" },
  ])("$because keeps nothing from being synced", async ({ to }) => {
    await world.startAndSync();
    world.clock.set(to);
    await world.parent.put("apps/hello", imageOf("b"), "1");
    await world.clock.advance(seconds(61));
    await expect(world.here("apps/hello", "1")).resolves.toBe(imageOf("b").at(-1)!.descriptor.digest);
  });

  test("back by years lets what failed be tried again in its time", async () => {
    world.parent.fault = (ask) => {
      if (ask.startsWith("fetch")) throw new Error("broken");
    };
    await world.startAndSync();
    expect(world.status.sync?.tags.failed).toBe(1);
    world.parent.fault = () => undefined;
    world.clock.set("1999-01-01T00:00:00Z");
    await world.clock.advance(seconds(61));
    await expect(world.here("apps/hello", "1")).resolves.toBeDefined();
  });

  test("back by years keeps nobody from writing down, every few minutes, when the last sync was", async () => {
    await world.startAndSync();
    world.clock.set("1999-01-01T00:00:00Z");
    await world.sync();
    const { writes } = world.journal;
    for (let pass = 0; pass < 310 / poll; pass++) await world.sync();
    expect(world.journal.writes).toBe(writes + 1);
  });

  test("back after a scheduled sync: the next window is kept", async () => {
    world.configure(settings({ schedule: "0 2 * * *", window: "PT3H" }));
    world.clock.set("2031-01-01T03:00:00Z");
    await world.startAndSync();
    world.clock.set("2026-01-05T12:00:00Z");
    await world.parent.put("apps/hello", imageOf("b"), "1");
    for (let hour = 0; hour < 15; hour++) await world.clock.advance(seconds(3600));
    await expect(world.here("apps/hello", "1")).resolves.toBe(imageOf("b").at(-1)!.descriptor.digest);
  });
});

describe("blackouts", () => {
  let world: World;
  const blackouts = [{ start: "2026-01-01T12:00", end: "2026-01-02" }];

  beforeEach(async () => {
    world = await World.create();
    await world.parent.put("apps/hello", imageOf("a"), "1");
  });

  afterEach(() => world.close());

  test("keep also the initial sync waiting, and the status says until when", async () => {
    world.configure(settings({ blackouts }));
    world.clock.set("2026-01-01T12:00:00Z");
    world.start();
    await eventually(() => world.status.postponed !== undefined);
    await world.clock.advance(seconds(60));
    expect(world.parent.recent()).toEqual([]);
    expect(world.status).toMatchObject({
      connectionState: "Online",
      postponed: { reason: "Blackout", until: "2026-01-03T00:00:00.000Z" },
    });
    for (let hour = 0; hour < 36; hour++) await world.clock.advance(seconds(3600));
    await world.clock.advance(seconds(60));
    await expect(world.here("apps/hello", "1")).resolves.toBeDefined();
    expect(world.status.postponed).toBeUndefined();
  });

  test("T41 end a sync where it is, which goes on after them", async () => {
    world.configure(settings({ blackouts }));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.parent.fault = (ask) => (ask.startsWith("fetch") ? held : undefined);
    world.clock.set("2026-01-01T11:59:00Z");
    world.start();
    await eventually(() => world.parent.asked.some((ask) => ask.startsWith("fetch")));
    await world.clock.advance(seconds(60));
    release();
    await eventually(() => world.status.sync?.state === "TimedOut");
    expect(world.status.sync?.nextTime).toBe("2026-01-03T00:00:00.000Z");
    world.parent.fault = () => undefined;
    for (let hour = 0; hour < 37; hour++) await world.clock.advance(seconds(3600));
    await expect(world.here("apps/hello", "1")).resolves.toBeDefined();
  });

  test("that are far away do not end a sync: no timer is that long", async () => {
    world.configure(settings({ blackouts: [{ start: "2027-12-24", end: "2027-12-26" }] }));
    await world.startAndSync();
    expect(world.status.sync?.state).toBe("Succeeded");
  });

  test("do not keep a person from a sync", async () => {
    world.clock.set("2026-01-01T11:00:00Z");
    world.configure(settings({ blackouts }));
    await world.startAndSync();
    world.clock.set("2026-01-01T12:30:00Z");
    await world.parent.put("apps/hello", imageOf("b"), "1");
    world.configure(settings({ blackouts, resyncRequest: "one" }));
    await eventually(
      () => world.status.sync?.trigger === "ManualResync" && world.status.sync.endTime !== undefined,
    );
    await expect(world.here("apps/hello", "1")).resolves.toBe(imageOf("b").at(-1)!.descriptor.digest);
  });
});

describe("after a long absence", () => {
  test.each([
    { because: "a week without a sync", away: 7.1, schedule: "* * * * *", trigger: "RecoveryService" },
    { because: "some days are none", away: 3, schedule: "* * * * *", trigger: "Schedule" },
    {
      because: "a nightly sync missed for a week",
      away: 8,
      schedule: "0 2 * * *",
      trigger: "RecoveryService",
    },
    { because: "a monthly one that missed nothing", away: 31, schedule: "0 2 1 * *", trigger: "Schedule" },
  ])("$because: $trigger", async ({ away, schedule, trigger }) => {
    const world = await World.create();
    try {
      world.clock.set("2026-01-01T02:00:00Z");
      world.configure(settings({ schedule }));
      await world.parent.put("apps/hello", imageOf("a"), "1");
      await world.startAndSync();
      await world.stop();
      world.parent.recent();
      await world.clock.advance(seconds(away * 86_400 + 1));
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({ trigger, state: "Succeeded", tags: { upToDate: 1 } });
      expect(world.parent.recent().filter((ask) => ask.startsWith("fetch"))).toEqual([]);
    } finally {
      await world.close();
    }
  });
});
