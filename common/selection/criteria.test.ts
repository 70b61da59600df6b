import { compileCriteria as compile } from "./criteria.ts";
import { InvalidSelectionError } from "./faults.ts";

const compileCriteria = (asked: Partial<Parameters<typeof compile>[0]>) =>
  compile({ include: ["*"], ...asked });
const semver = (range: string, prereleases = false) => ({ semver: { range, prereleases } });
const newest = (count: number, by: "Semver" | "Numerical" | "Alphabetical" = "Semver") => ({
  newest: { count, by },
});

test.each([
  { asked: { expression: "v.*" }, tag: "v1", refusal: undefined, because: "it matches" },
  { asked: { expression: "v.*" }, tag: "1", refusal: "expression", because: "it does not" },
  { asked: semver("^1.2"), tag: "1.3.0", refusal: undefined, because: "it is in the range" },
  { asked: semver("^1.2"), tag: "2.0.0", refusal: "range", because: "it is not" },
  { asked: semver("^1.2"), tag: "latest", refusal: "noVersion", because: "it is a word" },
  { asked: semver("^1.2"), tag: "1.3.0-rc.1", refusal: "preRelease", because: "it is not released" },
  { asked: semver("^1.2", true), tag: "1.3.0-rc.1", refusal: undefined, because: "that is allowed" },
  { asked: newest(1), tag: "latest", refusal: "noVersion", because: "it cannot be the newest version" },
  {
    asked: newest(1),
    tag: "1.0.0-rc.1",
    refusal: "preRelease",
    because: "nobody wants to run it by accident",
  },
  { asked: newest(1, "Numerical"), tag: "12", refusal: undefined, because: "it is a number" },
  { asked: newest(1, "Numerical"), tag: "12a", refusal: "notComparable", because: "it is none" },
  { asked: newest(1, "Alphabetical"), tag: "any", refusal: undefined, because: "every text can be compared" },
  {
    asked: { expression: "(?:latest|b(.*))", ...newest(1, "Alphabetical") },
    tag: "latest",
    refusal: "notComparable",
    because: "nothing was captured",
  },
  {
    asked: { expression: "(.*)-alpine", ...semver(">=16") },
    tag: "16.4-alpine",
    refusal: undefined,
    because: "what is captured may be short",
  },
  {
    asked: semver(">=16"),
    tag: "16.4",
    refusal: "noVersion",
    because: "a tag may not: dates look like that",
  },
])("$tag is refused for $refusal, because $because", ({ asked, tag, refusal }) => {
  expect(compileCriteria(asked).refusal(tag)).toBe(refusal);
});

test.each([
  { asked: {}, tags: ["b", "a"], chosen: ["b", "a"], because: "nothing was asked for" },
  {
    asked: newest(2),
    tags: ["1.9.0", "1.10.0", "1.2.0"],
    chosen: ["1.10.0", "1.9.0"],
    because: "10 is more than 9",
  },
  {
    asked: newest(1),
    tags: ["1.0.0", "v1.0.0"],
    chosen: ["v1.0.0"],
    because: "the tags decide what is equal",
  },
  { asked: newest(1), tags: ["1.0.0_b2", "1.0.0_b1"], chosen: ["1.0.0_b2"], because: "builds come last" },
  {
    asked: { ...newest(2), ...semver("*", true) },
    tags: ["2.0.0-rc.2", "2.0.0", "2.0.0-rc.10"],
    chosen: ["2.0.0", "2.0.0-rc.10"],
    because: "a release is newer than its candidates",
  },
  {
    asked: { expression: "build-(\\d+)", ...newest(2, "Numerical") },
    tags: ["build-9", "build-0010", "build-8"],
    chosen: ["build-0010", "build-9"],
    because: "numbers are compared, not letters",
  },
  {
    asked: { expression: "main-(?P<version>.*)-.*", ...newest(1, "Alphabetical") },
    tags: ["main-2026-01-31-z", "main-2026-02-01-a"],
    chosen: ["main-2026-02-01-a"],
    because: "dates in ISO 8601 are in order",
  },
])("of $tags the newest are $chosen, because $because", ({ asked, tags, chosen }) => {
  expect(compileCriteria(asked).newest(tags)).toEqual(chosen);
});

test("a number is compared exactly, however long it is", () => {
  const [low, high] = [`${"9".repeat(60)}1`, `${"9".repeat(60)}2`];
  expect(compileCriteria(newest(1, "Numerical")).newest([high, low])).toEqual([high]);
});

test("every fault is told at once, with its field", () => {
  const faulty = { expression: "(", excludeExpression: "[", semver: { range: "newest", prereleases: false } };
  const judge = () => compileCriteria(faulty);
  expect(judge).toThrow(InvalidSelectionError);
  expect(judge).toThrow(
    /^tags\.expression cannot be read .*; tags\.excludeExpression .*; tags\.semver\.range is no range/,
  );
});

test("several groups are a fault only where one of them is to be compared", () => {
  expect(() => compileCriteria({ expression: "(a)(b)" })).not.toThrow();
  expect(() => compileCriteria({ expression: "(a)(b)", ...newest(1) })).toThrow("(?P<version>…)");
});

describe("expression, semver and newest", () => {
  const choosing = [{ expression: "a" }, semver("*"), newest(1)];

  test.each(choosing)("choose among what a pattern matches: $expression $semver $newest", (asked) => {
    expect(() => compileCriteria({ include: ["latest", "*"], ...asked })).not.toThrow();
  });

  test.each(
    choosing.flatMap((asked) => [
      { asked, include: ["latest"], because: "a name in full is selected anyway, and there is nothing else" },
      { asked, include: [], because: "nothing is included" },
    ]),
  )("are a fault beside $include, because $because", ({ asked, include }) => {
    expect(() => compileCriteria({ include, ...asked })).toThrow("tags.include has no pattern");
  });

  test("leave an expression that only excludes alone", () => {
    expect(() => compileCriteria({ include: ["latest"], excludeExpression: "a" })).not.toThrow();
  });
});
