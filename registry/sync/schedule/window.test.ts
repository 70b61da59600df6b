import fc from "fast-check";
import { DateTime } from "luxon";
import { InvalidScheduleError } from "./schedule-error.ts";
import { nextSlot, parseSchedule, soonestSlot, type ScheduleSettings } from "./window.ts";

const at = (text: string): DateTime<true> => {
  const time = DateTime.fromISO(text, { zone: "utc" });
  if (!time.isValid) throw new RangeError(text);
  return time;
};

type Settings = Partial<ScheduleSettings>;
const scheduleOf = (settings: Settings) =>
  parseSchedule({ schedule: "0 2 * * *", timeZone: "UTC", windows: [], blackouts: [], ...settings });
const nightly: Settings = { window: "PT3H" };
const weekend = { schedule: "0 22 * * 5", window: "P2D" };

test.each<{
  because: string;
  settings: Settings;
  now: string;
  done: string | undefined;
  start: string;
  end: string | undefined;
}>([
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
  {
    because: "a window has its hours, though the clocks lose one within it (T41)",
    settings: { timeZone: "Europe/Paris", schedule: "0 1 * * *", window: "PT3H" },
    now: "2026-03-28T23:30Z",
    done: undefined,
    start: "2026-03-29T00:00Z",
    end: "2026-03-29T03:00Z",
  },
  {
    because: "a window has its hours, though the clocks gain one within it (T41)",
    settings: { timeZone: "Europe/Paris", schedule: "0 1 * * *", window: "PT3H" },
    now: "2026-10-25T01:59Z",
    done: "2026-10-23T23:00Z",
    start: "2026-10-25T01:59Z",
    end: "2026-10-25T02:00Z",
  },
  {
    because: "what was done by a clock that was years ahead says nothing (T58)",
    settings: nightly,
    now: "2026-03-10T04:00Z",
    done: "2029-03-10T02:00Z",
    start: "2026-03-10T04:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "what was done by a clock that was years behind is long ago (T58)",
    settings: nightly,
    now: "2026-03-10T04:00Z",
    done: "1970-01-01T00:00Z",
    start: "2026-03-10T04:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "of several windows the next counts",
    settings: { ...nightly, windows: [weekend] },
    now: "2026-03-13T12:00Z",
    done: "2026-03-13T02:00Z",
    start: "2026-03-13T22:00Z",
    end: "2026-03-15T22:00Z",
  },
  {
    because: "of windows that are open together the one that ends last counts",
    settings: { ...nightly, windows: [weekend] },
    now: "2026-03-14T02:30Z",
    done: "2026-03-13T12:00Z",
    start: "2026-03-14T02:30Z",
    end: "2026-03-15T22:00Z",
  },
  {
    because: "what was done in one window is not done again in it, but in the next",
    settings: { ...nightly, windows: [weekend] },
    now: "2026-03-14T01:00Z",
    done: "2026-03-13T22:00Z",
    start: "2026-03-14T02:00Z",
    end: "2026-03-14T05:00Z",
  },
  {
    because: "a window ends when a blackout begins",
    settings: { ...nightly, blackouts: [{ start: "2026-03-10T04:30", end: "2026-03-10T12:00" }] },
    now: "2026-03-10T03:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-10T03:00Z",
    end: "2026-03-10T04:30Z",
  },
  {
    because: "a window that a blackout covers at first is open after it",
    settings: { ...nightly, blackouts: [{ start: "2026-03-09", end: "2026-03-10T04:00" }] },
    now: "2026-03-09T12:00Z",
    done: "2026-03-08T02:00Z",
    start: "2026-03-10T04:00Z",
    end: "2026-03-10T05:00Z",
  },
  {
    because: "a window that a blackout covers is lost",
    settings: { ...nightly, blackouts: [{ start: "2026-03-10", end: "2026-03-11" }] },
    now: "2026-03-09T12:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-12T02:00Z",
    end: "2026-03-12T05:00Z",
  },
  {
    because: "without a window, what a blackout has kept is made up for after it",
    settings: { blackouts: [{ start: "2026-03-10", end: "2026-03-10" }] },
    now: "2026-03-10T12:00Z",
    done: "2026-03-09T02:00Z",
    start: "2026-03-11T00:00Z",
    end: undefined,
  },
  {
    because: "blackouts that touch are one",
    settings: {
      schedule: "* * * * *",
      blackouts: [
        { start: "2026-03-11", end: "2026-03-12T06:00" },
        { start: "2026-03-10T08:00", end: "2026-03-10" },
      ],
    },
    now: "2026-03-10T09:00Z",
    done: "2026-03-10T07:00Z",
    start: "2026-03-12T06:00Z",
    end: undefined,
  },
  {
    because: "a continuous sync ends when a blackout begins",
    settings: { schedule: "* * * * *", blackouts: [{ start: "2026-03-11", end: "2026-03-12" }] },
    now: "2026-03-10T09:00Z",
    done: "2026-03-10T07:00Z",
    start: "2026-03-10T09:00Z",
    end: "2026-03-11T00:00Z",
  },
  {
    because: "a day of blackout is one of the zone that is named, however long it is",
    settings: {
      timeZone: "Europe/Paris",
      schedule: "* * * * *",
      blackouts: [{ start: "2026-10-25", end: "2026-10-25" }],
    },
    now: "2026-10-24T22:30Z",
    done: undefined,
    start: "2026-10-25T23:00Z",
    end: undefined,
  },
])("$because", ({ settings, now, done, start, end }) => {
  const slot = nextSlot(scheduleOf(settings), at(now), done === undefined ? undefined : at(done));
  expect(slot?.start.toISO()).toBe(at(start).toISO());
  expect(slot?.end?.toISO()).toBe(end === undefined ? undefined : at(end).toISO());
});

test("a day that never comes has no slot", () => {
  const never = scheduleOf({ schedule: "0 0 30 2 *" });
  expect(nextSlot(never, at("2026-01-01"), undefined)).toBeUndefined();
});

test("what is due at once waits for the end of a blackout", () => {
  const schedule = scheduleOf({
    blackouts: [
      { start: "2026-03-10", end: "2026-03-10" },
      { start: "2026-03-12", end: "2026-03-12" },
    ],
  });
  const slot = soonestSlot(schedule, at("2026-03-10T12:00Z"));
  expect(slot).toEqual({ start: at("2026-03-11T00:00Z"), end: at("2026-03-12T00:00Z") });
  expect(soonestSlot(schedule, at("2026-03-13T12:00Z"))).toEqual({ start: at("2026-03-13T12:00Z") });
});

test.each<{ settings: Settings; because: string; says: string }>([
  { settings: { schedule: "0 2 * *" }, because: "four fields", says: "five cron fields" },
  { settings: { schedule: "0 0 2 * * *" }, because: "six fields", says: "five cron fields" },
  { settings: { schedule: "61 2 * * *" }, because: "no such minute", says: "61 2 * * *" },
  { settings: { timeZone: "Mars/Olympus" }, because: "no such zone", says: "Europe/Paris" },
  { settings: { window: "PT59M" }, because: "a window has an hour at least", says: "PT59M" },
  { settings: { window: "P8D" }, because: "a window has a week at most", says: "P8D" },
  { settings: { window: "three hours" }, because: "not ISO 8601", says: "three hours" },
  {
    settings: { windows: [{ schedule: "0 2 * * *", window: "PT0S" }] },
    because: "so it is with the other windows",
    says: "PT0S",
  },
  {
    settings: { schedule: "* * * * *", windows: [weekend] },
    because: "what runs always has no windows",
    says: "continuous",
  },
  {
    settings: { blackouts: [{ start: "2026-02-30", end: "2026-03-01" }] },
    because: "no such day",
    says: "2026-02-30",
  },
  {
    settings: { blackouts: [{ start: "Christmas", end: "2026-12-26" }] },
    because: "no date",
    says: "Christmas",
  },
  {
    settings: { blackouts: [{ start: "2026-12-26T12:00", end: "2026-12-26T12:00" }] },
    because: "it ends when it begins",
    says: "before it begins",
  },
])("refuses $says: $because", ({ settings, says }) => {
  const parse = (): unknown => scheduleOf(settings);
  expect(parse).toThrow(InvalidScheduleError);
  expect(parse).toThrow(says);
});

const minutes = fc.integer({ min: 0, max: 600_000 });

test("a slot never begins before now, nor ends before it begins, and never lasts longer than the window", () => {
  const schedules = fc.record({
    schedule: fc.constantFrom("0 2 * * *", "*/30 * * * *", "15 3 * * 1", "0 0 1 * *", "59 23 31 12 *"),
    timeZone: fc.constantFrom("UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe"),
    window: fc.constantFrom("PT1H", "PT24H", "P7D"),
  });
  fc.assert(
    fc.property(schedules, minutes, fc.option(minutes), (settings, offset, ago) => {
      const schedule = scheduleOf(settings);
      const now = at("2026-01-01").plus({ minutes: offset });
      const slot = nextSlot(schedule, now, ago === null ? undefined : now.minus({ minutes: ago }));
      expect(slot?.start.toMillis()).toBeGreaterThanOrEqual(now.toMillis());
      const length = slot?.end?.diff(slot.start).toMillis();
      expect(length).toBeGreaterThan(0);
      expect(length).toBeLessThanOrEqual(schedule.openings[0]?.window?.toMillis() ?? 0);
    }),
  );
});

/** The same in minutes, with windows that open every day: whether a sync may run is asked minute by minute. */
describe("daily windows and blackouts, beside a model that looks at every minute", () => {
  const day = 24 * 60;
  const horizon = 6 * day;
  const begin = at("2026-03-01");
  const moment = (minute: number): DateTime<true> => begin.plus({ minutes: minute });
  const text = (minute: number): string => moment(minute).toISO().slice(0, 16);
  const window = fc.record({ opens: fc.nat(day - 1), hours: fc.integer({ min: 1, max: 30 }) });
  const blackout = fc.record({ from: fc.nat(horizon), length: fc.integer({ min: 1, max: 2 * day }) });

  test("the first minute in which a sync may run is where the slot begins, and the last where it ends", () => {
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.array(blackout, { maxLength: 3 }),
        fc.nat(horizon),
        fc.option(fc.nat(horizon)),
        (windows, blackouts, now, done) => {
          const [main, ...more] = windows.map(({ opens, hours }) => ({
            schedule: `${opens % 60} ${Math.floor(opens / 60)} * * *`,
            window: `PT${hours}H`,
          }));
          const schedule = scheduleOf({
            ...main,
            windows: more,
            blackouts: blackouts.map(({ from, length }) => ({ start: text(from), end: text(from + length) })),
          });
          const last = done === null || done > now ? -Infinity : done;
          const dark = (minute: number): boolean =>
            blackouts.some(({ from, length }) => from <= minute && minute < from + length);
          /** Until when the windows last that are open and not done with. */
          const endAt = (minute: number): number =>
            Math.max(
              ...windows.map(({ opens, hours }) => {
                const opened = Math.floor((minute - opens) / day) * day + opens;
                return opened > last && minute < opened + hours * 60 ? opened + hours * 60 : -Infinity;
              }),
            );
          let start = now;
          while (dark(start) || endAt(start) === -Infinity) start++;
          let end = start;
          while (!dark(end) && end < endAt(start)) end++;
          expect(nextSlot(schedule, moment(now), done === null ? undefined : moment(done))).toEqual({
            start: moment(start),
            end: moment(end),
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
