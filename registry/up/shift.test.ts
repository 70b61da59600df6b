import { DateTime } from "luxon";
import { parseSchedule, type ScheduleSettings } from "../sync/schedule/window.ts";
import { shiftOf } from "./shift.ts";

const at = (text: string): DateTime<true> => DateTime.fromISO(text, { zone: "utc" }) as DateTime<true>;
const nightly: ScheduleSettings = { schedule: "0 2 * * *", timeZone: "UTC", windows: [], blackouts: [] };
const windowed = { ...nightly, window: "PT2H" };
const continuous = { ...nightly, schedule: "* * * * *" };
const holidays = { ...continuous, blackouts: [{ start: "2026-12-24", end: "2026-12-26" }] };
const weekend = { ...nightly, windows: [{ schedule: "0 22 * * 5", window: "P2D" }] };

test.each([
  {
    of: continuous,
    now: "2026-11-21T12:00",
    oldest: "2026-11-21T12:00",
    start: "2026-11-21T12:00",
    because: "it is always open",
  },
  {
    of: holidays,
    now: "2026-12-25T12:00",
    oldest: "2026-12-25T12:00",
    start: "2026-12-27T00:00",
    because: "a blackout goes before all",
  },
  {
    of: windowed,
    now: "2026-11-21T12:00",
    oldest: "2026-11-20T12:00",
    start: "2026-11-22T02:00",
    end: "2026-11-22T04:00",
    because: "the window is shut",
  },
  {
    of: windowed,
    now: "2026-11-21T03:00",
    oldest: "2026-11-20T12:00",
    start: "2026-11-21T03:00",
    end: "2026-11-21T04:00",
    because: "it is open",
  },
  {
    of: windowed,
    now: "2026-11-21T03:00",
    oldest: "2026-11-21T02:59",
    start: "2026-11-21T03:00",
    end: "2026-11-21T04:00",
    because: "it is open for what comes now, too",
  },
  {
    of: nightly,
    now: "2026-11-21T12:00",
    oldest: "2026-11-20T12:00",
    start: "2026-11-21T12:00",
    because: "what waited for two o'clock is not done yet",
  },
  {
    of: nightly,
    now: "2026-11-21T12:00",
    oldest: "2026-11-21T11:00",
    start: "2026-11-22T02:00",
    because: "what came later waits for the next night",
  },
  {
    of: nightly,
    now: "2026-11-21T12:00",
    oldest: "2031-01-01T00:00",
    start: "2026-11-21T12:00",
    because: "T58 a clock that was wrong keeps nothing back",
  },
  {
    of: weekend,
    now: "2026-11-21T12:00",
    oldest: "2026-11-21T11:00",
    start: "2026-11-21T12:00",
    end: "2026-11-22T22:00",
    because: "the weekend is open",
  },
])(
  "at $now, what waits since $oldest goes up from $start on: $because",
  ({ of, now, oldest, start, end }) => {
    const slot = shiftOf(parseSchedule(of), at(now), at(oldest));
    expect(slot?.start.toISO()).toBe(at(start).toISO());
    expect(slot?.end?.toISO()).toBe(end === undefined ? undefined : at(end).toISO());
  },
);

test("a schedule that never comes opens nothing", () => {
  const never = { ...nightly, schedule: "0 0 30 2 *" };
  expect(shiftOf(parseSchedule(never), at("2026-11-21T12:00"), at("2026-11-21T12:00"))).toBeUndefined();
});
