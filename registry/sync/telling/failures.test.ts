import { DateTime } from "luxon";
import { DeniedError, NotFoundError } from "../../remote/errors.ts";
import { TagNotFoundError } from "../../content/store.ts";
import { failuresOf, worstOf } from "./failures.ts";
import type { PlanFailure } from "../planning/sync-plan.ts";

const failure = (tag: string, error: unknown): PlanFailure => ({ repository: "apps/hello", tag, error });

test("of each kind one comes first, however many there are of another, and all are counted", () => {
  const many = Array.from({ length: 5000 }, (_, i) => failure(String(10_000 + i), new DeniedError("No.")));
  const failures = [
    ...many,
    failure("a", new TagNotFoundError("a")),
    failure("b", new NotFoundError("Gone.")),
  ];
  const { failures: shown, failureReasons } = worstOf(failuresOf(failures));
  expect(shown).toHaveLength(10);
  expect(new Set(shown.map(({ message }) => message))).toEqual(
    new Set(["No.", "The parent has no such tag.", "Gone."]),
  );
  expect(failureReasons).toEqual([
    { message: "No.", count: 5000 },
    { message: "The parent has no such tag.", count: 1 },
    { message: "Gone.", count: 1 },
  ]);
});

test("T95 with the longest names and messages there are, they take little", () => {
  const failures = Array.from({ length: 5000 }, (_, i): PlanFailure => ({
    repository: "r".repeat(255),
    tag: String(i).padStart(128, "t"),
    error: new Error(`${i} ${"m".repeat(100_000)}`),
    retryTime: DateTime.fromISO("2026-01-01T00:00:00Z", { zone: "utc" }),
  }));
  expect(JSON.stringify(worstOf(failuresOf(failures))).length).toBeLessThan(16 * 1024);
});

test("nothing failed: there are no reasons", () => {
  expect(worstOf([])).toEqual({ failures: [] });
});
