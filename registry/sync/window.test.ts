import fc from "fast-check";
import { DateTime } from "luxon";
import { InvalidScheduleError, nextSlot, parseSchedule, type ScheduleSettings } from "./window.ts";

const at = (text: string): DateTime<true> => {
  const time = DateTime.fromISO(text, { zone: "utc" });
  if (!time.isValid) throw new RangeError(text);
  return time;
};

const nightly: ScheduleSettings = { schedule: "0 2 * * *", timeZone: "UTC", window: "PT3H" };

test.each([
  {
    because: "before the window, the next is awaited",
    settings: nightly,
    now: "2026-03-10T01:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-10T02:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "at its first moment it is open",
    settings: nightly,
    now: "2026-03-10T02:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-10T02:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "within it, what was missed is made up for until its end",
    settings: nightly,
    now: "2026-03-10T04:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-10T04:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "what was done is not done twice in one window",
    settings: nightly,
    now: "2026-03-10T04:00Z",
    done: "2026-03-10T02:00Z",
    start: "2026-03-11T02:00Z",
    end: "2026-03-11T05:00Z",
  },
  {
    because: "after it, what was missed waits for the next",
    settings: nightly,
    now: "2026-03-10T05:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-11T02:00Z",
    end: "2026-03-11T05:00Z",
  },
  {
    because: "without a window, what was missed is made up for at once",
    settings: { schedule: "0 2 * * *", timeZone: "UTC" },
    now: "2026-03-10T13:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-10T13:00Z",
    end: undefined,
  },
  {
    because: "a window may cross midnight (T41)",
    settings: { schedule: "0 22 * * *", timeZone: "UTC", window: "PT6H" },
    now: "2026-03-10T03:00Z",
    done: undefined,
    start: "2026-03-10T03:00Z",
    end: "2026-03-10T04:00Z",
  },
  {
    because: "the schedule is in the zone that is named",
    settings: { schedule: "0 2 * * *", timeZone: "Asia/Tokyo", window: "PT1H" },
    now: "2026-03-10T12:00Z",
    done: undefined,
    start: "2026-03-10T17:00Z",
    end: "2026-03-10T18:00Z",
  },
  {
    because: "an hour that the clocks skip is taken after it (T41)",
    settings: { schedule: "30 2 * * *", timeZone: "Europe/Paris", window: "PT1H" },
    now: "2026-03-29T00:00Z",
    done: "2026-03-28T01:30Z",
    start: "2026-03-29T01:00Z",
    end: "2026-03-29T02:00Z",
  },
  {
    because: "an hour that comes twice is taken once (T41)",
    settings: { schedule: "30 2 * * *", timeZone: "Europe/Paris", window: "PT1H" },
    now: "2026-10-25T01:00Z",
    done: "2026-10-25T00:30Z",
    start: "2026-10-26T01:30Z",
    end: "2026-10-26T02:30Z",
  },
  {
    because: "continuous is always, and has no end",
    settings: { schedule: " * *  * * *", timeZone: "UTC", window: "PT1H" },
    now: "2026-03-10T04:00:30Z",
    done: "2026-03-10T04:00:29Z",
    start: "2026-03-10T04:00:30Z",
    end: undefined,
  },
])("$because", ({ settings, now, done, start, end }) => {
  const slot = nextSlot(parseSchedule(settings), at(now), done === undefined ? undefined : at(done));
  expect(slot?.start.toISO()).toBe(at(start).toISO());
  expect(slot?.end?.toISO()).toBe(end === undefined ? undefined : at(end).toISO());
});

test("a day that never comes has no slot", () => {
  const never = parseSchedule({ schedule: "0 0 30 2 *", timeZone: "UTC" });
  expect(nextSlot(never, at("2026-01-01"), undefined)).toBeUndefined();
});

test.each([
  { settings: { ...nightly, schedule: "0 2 * *" }, because: "four fields" },
  { settings: { ...nightly, schedule: "0 0 2 * * *" }, because: "six fields" },
  { settings: { ...nightly, schedule: "61 2 * * *" }, because: "no such minute" },
  { settings: { ...nightly, timeZone: "Mars/Olympus" }, because: "no such zone" },
  { settings: { ...nightly, window: "PT59M" }, because: "a window has an hour at least" },
  { settings: { ...nightly, window: "P8D" }, because: "a window has a week at most" },
  { settings: { ...nightly, window: "three hours" }, because: "not ISO 8601" },
])("refuses $because", ({ settings }) => {
  expect(() => parseSchedule(settings)).toThrow(InvalidScheduleError);
});

test("a slot never begins before now, nor ends before it begins, and never lasts longer than the window", () => {
  const schedules = fc.record({
    schedule: fc.constantFrom("0 2 * * *", "*/30 * * * *", "15 3 * * 1", "0 0 1 * *", "59 23 31 12 *"),
    timeZone: fc.constantFrom("UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe"),
    window: fc.constantFrom("PT1H", "PT24H", "P7D"),
  });
  const minutes = fc.integer({ min: 0, max: 600_000 });
  fc.assert(
    fc.property(schedules, minutes, fc.option(minutes), (settings, offset, ago) => {
      const schedule = parseSchedule(settings);
      const now = at("2026-01-01").plus({ minutes: offset });
      const slot = nextSlot(schedule, now, ago === null ? undefined : now.minus({ minutes: ago }));
      expect(slot?.start.toMillis()).toBeGreaterThanOrEqual(now.toMillis());
      const length = slot?.end?.diff(slot.start).toMillis();
      expect(length).toBeGreaterThan(0);
      expect(length).toBeLessThanOrEqual(schedule.window?.toMillis() ?? 0);
    }),
  );
});
