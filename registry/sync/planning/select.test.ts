import fc from "fast-check";
import type { TagSelection } from "../../../common/contract/config.ts";
import { InvalidSelectionError } from "../../../common/selection/faults.ts";
import { maySync, tagSelector } from "./select.ts";

const rule = (tags: Partial<TagSelection>) => ({
  name: "apps/hello",
  tags: { include: ["*"], exclude: [], ...tags },
  platforms: [],
  referrers: true,
  referrerTypes: [],
});
const selector = (tags: Partial<TagSelection> = {}) => tagSelector(rule(tags).tags);
const semver = { range: ">=1.2", prereleases: false };
const newest = { count: 1, by: "Semver" } as const;

test.each([
  { tags: {}, tag: "latest", refusal: undefined, because: "everything is included" },
  { tags: { include: ["1.*", "2.*"] }, tag: "2.0", refusal: undefined, because: "one pattern is enough" },
  { tags: { include: ["1.*"] }, tag: "2.0", refusal: "include", because: "no pattern matches" },
  { tags: { exclude: ["*-rc*"] }, tag: "1.0-rc1", refusal: "excluded", because: "it is excluded (T09)" },
  {
    tags: { excludeExpression: ".*-rc\\d+" },
    tag: "1.0-rc1",
    refusal: "excluded",
    because: "so it can be said, too",
  },
  {
    tags: {},
    tag: `sha256-${"a".repeat(64)}`,
    refusal: "attached",
    because: "it holds referrers and is no tag of an image (T17f)",
  },
  {
    tags: {},
    tag: `sha256-${"a".repeat(64)}.sig`,
    refusal: "attached",
    because: "a signature of cosign comes with its image, or not at all",
  },
  {
    tags: { include: [`sha256-${"a".repeat(64)}.sig`] },
    tag: `sha256-${"a".repeat(64)}.sig`,
    refusal: undefined,
    because: "it is named in full",
  },
  { tags: { semver }, tag: "1.1.0", refusal: "range", because: "the range begins higher" },
  {
    tags: { include: ["latest", "*"], semver },
    tag: "latest",
    refusal: undefined,
    because: "it is named in full",
  },
  {
    tags: { include: ["a", "*"], exclude: ["a"], semver },
    tag: "a",
    refusal: "excluded",
    because: "what is excluded is out",
  },
  { tags: { include: ["1.*"], semver }, tag: "2.0.0", refusal: "include", because: "both must hold" },
] satisfies { tags: Partial<TagSelection>; tag: string; refusal: string | undefined; because: string }[])(
  "$tag: $refusal, $because",
  async ({ tags, tag, refusal }) => {
    expect((await selector(tags)).refusal(tag)).toBe(refusal);
  },
);

test("says of each tag whether it is selected, and why not", async () => {
  const { choose } = await selector({ include: ["latest", "*"], exclude: ["*-rc*"], semver, newest });
  const { selected, leftOut } = await choose([
    "latest",
    "1.0.0",
    "1.3.0",
    "1.2.0",
    "2.0.0-rc1",
    "edge",
    "1.4.0-b",
  ]);
  expect(selected).toEqual(["latest", "1.3.0"]);
  expect(Object.fromEntries(leftOut)).toEqual({
    "1.0.0": "range",
    "1.2.0": "older",
    "2.0.0-rc1": "excluded",
    edge: "noVersion",
    "1.4.0-b": "preRelease",
  });
});

test("a rule that names its tags needs no list, unless one of them is a pattern", async () => {
  expect((await selector({ include: ["1.0", "1.1"] })).names).toEqual(["1.0", "1.1"]);
  expect((await selector({ include: ["1.0", "2.*"] })).names).toBeUndefined();
});

test("a rule that cannot be followed is refused, again and again", async () => {
  const { tags } = rule({ expression: "(" });
  await expect(tagSelector(tags)).rejects.toThrow(InvalidSelectionError);
  await expect(tagSelector(tags)).rejects.toThrow(InvalidSelectionError);
});

test.each([
  { tags: {}, repository: "apps/hello", tag: "1", wanted: true, because: "it is selected" },
  {
    tags: {},
    repository: "apps/other",
    tag: "1",
    wanted: false,
    because: "the rule is about another repository",
  },
  { tags: { semver }, repository: "apps/hello", tag: "1.0.0", wanted: false, because: "it is out of range" },
  { tags: { newest }, repository: "apps/hello", tag: "1.0.0", wanted: true, because: "it may be the newest" },
  { tags: { expression: "(" }, repository: "apps/hello", tag: "1", wanted: true, because: "nobody knows" },
  {
    tags: { include: ["1"] },
    repository: "apps/hello",
    tag: `sha256-${"a".repeat(64)}.sig`,
    wanted: true,
    because: "it comes with the image that it is about",
  },
])(
  "a sync may bring $repository:$tag: $wanted, because $because",
  async ({ tags, repository, tag, wanted }) => {
    expect(await maySync([rule(tags)], repository, tag)).toBe(wanted);
  },
);

describe("whatever the rule and the tags,", () => {
  const tag = fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(12), fc.nat(12)).map((numbers) => numbers.join(".")),
    fc.tuple(fc.nat(3), fc.nat(3)).map(([major, n]) => `${major}.0.0-rc.${n}`),
    fc.constantFrom("latest", "edge", "v1.2.3", "16.4-alpine", "20261121", `sha256-${"0".repeat(64)}`),
  );
  const glob = fc.constantFrom("*", "1.*", "latest", "*-rc*", "2.0.0");
  const globs = fc.uniqueArray(glob, { maxLength: 3 });
  const expression = fc.constantFrom("\\d.*", "(?P<version>.*?)(-alpine)?", ".*rc.*");
  const selection: fc.Arbitrary<TagSelection> = fc.record(
    {
      include: globs.map((some) => [...some, "3.*"]),
      exclude: globs,
      expression,
      excludeExpression: expression,
      semver: fc.record({
        range: fc.constantFrom("*", "^1.2", ">=1.0.0-rc.1 <3"),
        prereleases: fc.boolean(),
      }),
      newest: fc.record({
        count: fc.integer({ min: 1, max: 4 }),
        by: fc.constantFrom("Semver", "Numerical", "Alphabetical"),
      }),
    },
    { requiredKeys: ["include", "exclude"] },
  );
  const tags = fc.uniqueArray(tag, { maxLength: 20 });
  const choose = async (given: TagSelection, from: readonly string[]) =>
    (await tagSelector(given)).choose(from);

  const always = (check: (given: TagSelection, from: readonly string[]) => Promise<void>) =>
    fc.assert(fc.asyncProperty(selection, tags, check));

  test("each tag is either selected or left out for a reason", () =>
    always(async (given, from) => {
      const { selected, leftOut } = await choose(given, from);
      expect([...selected, ...leftOut.keys()].sort()).toEqual([...from].sort());
    }));

  test("choosing again from what was chosen changes nothing", () =>
    always(async (given, from) => {
      const { selected } = await choose(given, from);
      expect((await choose(given, selected)).selected).toEqual(selected);
    }));

  test("the order in which a parent lists its tags does not matter", () =>
    always(async (given, from) => {
      const { selected } = await choose(given, from);
      expect([...(await choose(given, [...from].reverse())).selected].sort()).toEqual([...selected].sort());
    }));

  test("nothing is selected that is excluded", () =>
    always(async (given, from) => {
      const { selected } = await choose(given, from);
      const excluding = { include: given.exclude.length === 0 ? ["none"] : given.exclude, exclude: [] };
      expect((await choose(excluding, selected)).selected).toEqual([]);
    }));

  test("another pattern to include never costs a tag, unless only the newest are wanted", () =>
    always(async (given, from) => {
      const all = { ...given, newest: undefined };
      const { selected } = await choose(all, from);
      const more = await choose({ ...all, include: [...all.include, "2.*"] }, from);
      expect(more.selected).toEqual(expect.arrayContaining([...selected]));
    }));

  test("another pattern to exclude never brings a tag, unless a newer one makes room", () =>
    always(async (given, from) => {
      const all = { ...given, newest: undefined };
      const { selected } = await choose({ ...all, exclude: [...all.exclude, "1.*"] }, from);
      expect((await choose(all, from)).selected).toEqual(expect.arrayContaining([...selected]));
    }));

  test("of the newest there are no more than are asked for, and those named in full", () =>
    always(async (given, from) => {
      const { selected } = await choose(given, from);
      const named = selected.filter((each) => given.include.includes(each));
      expect(selected.length - named.length).toBeLessThanOrEqual(given.newest?.count ?? from.length);
    }));

  test("what is selected, a sync may bring", () =>
    always(async (given, from) => {
      const { selected } = await choose(given, from);
      for (const each of selected) expect(await maySync([rule(given)], "apps/hello", each)).toBe(true);
    }));
});
