import { ManualClock } from "../../common/testing/manual-clock.ts";
import { setCondition, timestamp, type Condition } from "./conditions.ts";

const now = new ManualClock("2026-11-21T08:00:00.750Z").now();
const then = "2026-11-20T00:00:00Z";
const ready: Condition = {
  type: "Ready",
  status: "False",
  reason: "Starting",
  message: "It starts.",
  lastTransitionTime: then,
  observedGeneration: 1,
};

describe("setCondition", () => {
  it.each([
    { change: {}, time: then, same: true, because: "nothing changed" },
    { change: { message: "Still." }, time: then, same: false, because: "only the words changed" },
    { change: { reason: "Silent" }, time: then, same: false, because: "only the reason changed" },
    { change: { observedGeneration: 2 }, time: then, same: false, because: "it speaks of a new spec" },
    {
      change: { status: "True" as const },
      time: "2026-11-21T08:00:00Z",
      same: false,
      because: "the status changed",
    },
  ])("dates it $time when $because", ({ change, time, same }) => {
    const conditions = [ready];
    const result = setCondition(conditions, { ...ready, ...change }, now);
    expect(result).toEqual([{ ...ready, ...change, lastTransitionTime: time }]);
    expect(result === conditions).toBe(same);
  });

  it("adds what is new at the end", () => {
    expect(setCondition([ready], { ...ready, type: "Stalled" }, now).map(({ type }) => type)).toEqual([
      "Ready",
      "Stalled",
    ]);
  });
});

test("timestamp writes whole seconds of UTC, as the API server does", () => {
  expect(timestamp(now)).toBe("2026-11-21T08:00:00Z");
});
