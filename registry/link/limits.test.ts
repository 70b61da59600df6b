import { DateTime } from "luxon";
import { parseSettings } from "../../common/contract/config.ts";
import type { LinkLimits } from "../../common/contract/link-settings.ts";
import { localTime, periodAt, rateAt } from "./limits.ts";

function limits(input: object): LinkLimits {
  const sync = { repositories: [], limits: input };
  return parseSettings({ version: 1, name: "edge", sync }).sync!.limits;
}

function at(text: string, timeZone = "UTC"): DateTime<true> {
  return localTime(DateTime.fromISO(text, { zone: "utc" }) as DateTime<true>, timeZone);
}

const office = {
  bytesPerSecond: 1_000_000,
  windows: [
    { from: "08:00", to: "18:00", days: ["Monday", "Friday"], bytesPerSecond: 20_000 },
    { from: "22:00", to: "06:00", days: ["Friday"] },
    { from: "12:00", to: "12:00", days: ["Sunday"], bytesPerSecond: 30_000 },
  ],
};

// 20 November 2026 is a Friday.
test.each([
  { time: "2026-11-20T07:59:59Z", rate: 1_000_000, because: "the window has not begun" },
  { time: "2026-11-20T08:00:00Z", rate: 20_000, because: "it begins with its first minute" },
  { time: "2026-11-20T17:59:59Z", rate: 20_000, because: "it lasts to its end" },
  { time: "2026-11-20T18:00:00Z", rate: 1_000_000, because: "its end is not in it" },
  { time: "2026-11-19T10:00:00Z", rate: 1_000_000, because: "Thursday is none of its days" },
  { time: "2026-11-20T23:00:00Z", rate: undefined, because: "a window without a rate has no limit" },
  { time: "2026-11-21T05:59:00Z", rate: undefined, because: "what began on Friday lasts into Saturday" },
  { time: "2026-11-20T05:59:00Z", rate: 1_000_000, because: "what would have begun on Thursday did not" },
  { time: "2026-11-22T12:00:00Z", rate: 30_000, because: "a whole day begins on Sunday at noon" },
  { time: "2026-11-23T07:59:00Z", rate: 30_000, because: "and lasts into Monday" },
  { time: "2026-11-23T08:00:00Z", rate: 20_000, because: "of two that are open the first counts" },
  {
    time: "2026-11-20T07:30:00Z",
    zone: "Europe/Paris",
    rate: 20_000,
    because: "it is half past eight in Paris",
  },
])("at $time $zone the rate is $rate: $because", ({ time, zone, rate }) => {
  expect(rateAt(limits(office), at(time, zone))).toBe(rate);
});

test("by the clocks on the wall, a window of the night has an hour more when they go back", () => {
  const night = limits({ windows: [{ from: "01:00", to: "04:00", bytesPerSecond: 20_000 }] });
  const minutes = (date: string): number => {
    const midnight = DateTime.fromISO(`${date}T00:00`, { zone: "Europe/Paris" }) as DateTime<true>;
    return Array.from({ length: 1500 }, (_, minute) => midnight.plus({ minutes: minute })).filter(
      (each) => each.toISODate() === date && rateAt(night, each) !== undefined,
    ).length;
  };
  expect(["2026-03-29", "2026-06-01", "2026-10-25"].map(minutes)).toEqual([120, 180, 240]);
});

test.each([
  { period: "Day", time: "2026-11-30T23:30:00Z", zone: "UTC", id: "2026-11-30", end: "2026-12-01T00:00" },
  {
    period: "Day",
    time: "2026-11-30T23:30:00Z",
    zone: "Europe/Paris",
    id: "2026-12-01",
    end: "2026-12-01T23:00",
  },
  { period: "Month", time: "2026-12-31T20:00:00Z", zone: "UTC", id: "2026-12", end: "2027-01-01T00:00" },
  {
    period: "Month",
    time: "2026-12-31T20:00:00Z",
    zone: "Asia/Tokyo",
    id: "2027-01",
    end: "2027-01-31T15:00",
  },
  {
    period: "Day",
    time: "2026-10-25T12:00:00Z",
    zone: "Europe/Paris",
    id: "2026-10-25",
    end: "2026-10-25T23:00",
  },
  {
    period: "Day",
    time: "2026-10-25T12:00:00Z",
    zone: "No/Where",
    id: "2026-10-25",
    end: "2026-10-26T00:00",
  },
] as const)("at $time $zone the $period is $id, and ends at $end", ({ period, time, zone, id, end }) => {
  const found = periodAt(period, at(time, zone));
  expect([found.id, found.end.toISO()]).toEqual([id, `${end}:00.000Z`]);
});

test.each([
  { input: { bytesPerSecond: 16_383 }, field: "sync.limits.bytesPerSecond", says: "write 16384 or more" },
  { input: { windows: [{ from: "8:00", to: "09:00" }] }, field: "sync.limits.windows.0.from", says: "08:00" },
  { input: { windows: [{ from: "08:00", to: "24:00" }] }, field: "sync.limits.windows.0.to", says: "22:30" },
  {
    input: { windows: [{ from: "08:00", to: "09:00", days: ["Mon"] }] },
    field: "sync.limits.windows.0.days.0",
    says: "Monday",
  },
  { input: { quota: { bytes: 0, period: "Day" } }, field: "sync.limits.quota.bytes", says: "1 or more" },
  { input: { quota: { bytes: 1, period: "Week" } }, field: "sync.limits.quota.period", says: "Day or Month" },
])("refuses $input and says what is right", ({ input, field, says }) => {
  expect(() => limits(input)).toThrow(new RegExp(`${field}: .*${says}`));
});
