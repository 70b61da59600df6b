import { isCron, parseCron } from "./cron.ts";

describe("A schedule", () => {
  test.each([
    {
      schedule: "0 3 * * *",
      timeZone: undefined,
      next: "2026-03-29T03:00:00.000Z",
      because: "UTC has no summer",
    },
    { schedule: "0 3 * * *", timeZone: "UTC", next: "2026-03-29T03:00:00.000Z", because: "it may be said" },
    {
      schedule: "0 5 * * *",
      timeZone: "Europe/Berlin",
      next: "2026-03-29T03:00:00.000Z",
      because: "its summer began at 01:00 UTC",
    },
    {
      schedule: "59 23 31 12 *",
      timeZone: undefined,
      next: "2026-12-31T23:59:00.000Z",
      because: "a year is no bound",
    },
  ])("$schedule in $timeZone comes next at $next: $because", ({ schedule, timeZone, next }) => {
    const after = new Date("2026-03-29T00:30:00Z");

    expect(parseCron(schedule, timeZone).nextRun(after)?.toISOString()).toBe(next);
  });

  test("in UTC is reckoned without the language data, which would stay in memory", () => {
    const { DateTimeFormat } = Intl;
    let asked = 0;
    Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
      construct: (target, parameters, newTarget) => {
        asked += 1;
        return Reflect.construct(target, parameters, newTarget) as Intl.DateTimeFormat;
      },
    });
    const askedFor = (timeZone: string): number => {
      const daily = parseCron("0 3 * * *", timeZone);
      daily.nextRun(new Date("2026-03-29T00:30:00Z"));
      daily.previousRuns(1, new Date("2026-03-29T00:30:00Z"));
      return asked;
    };

    try {
      expect(askedFor("UTC")).toBe(0);
      // Not a zone of the tests above: what was asked for once is kept.
      expect(askedFor("Europe/Madrid")).toBeGreaterThan(0);
    } finally {
      Intl.DateTimeFormat = DateTimeFormat;
    }
  });

  test.each(["", "* * * *", "0 0 3 * * *", "61 * * * *", "@yearly-ish", "every day"])(
    "%j is none",
    (schedule) => {
      expect(isCron(schedule)).toBe(false);
      expect(() => parseCron(schedule)).toThrow(`"${schedule}" is not a schedule of five cron fields.`);
    },
  );
});
