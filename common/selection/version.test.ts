import fc from "fast-check";
import { GrammarError } from "./faults.ts";
import { parseRange, parseVersion } from "./version.ts";

const one = parseVersion("1.0.0", false)!;

function rangeIfGood(text: string): ReturnType<typeof parseRange> | undefined {
  try {
    return parseRange(text, false);
  } catch (error) {
    if (error instanceof GrammarError) return undefined;
    throw error;
  }
}

test.each([
  { text: "1.2.3", version: "1.2.3", because: "it is one" },
  { text: "v1.2.3", version: "1.2.3", because: "a v may stand before it" },
  { text: "1.2.3-rc.1", version: "1.2.3-rc.1", because: "pre-releases are versions" },
  { text: "1.2.3_build.7", version: "1.2.3", because: "_ begins build metadata, where a tag cannot have +" },
  { text: "1.2", version: undefined, because: "SemVer has three numbers" },
  { text: "20261121", version: undefined, because: "a date is no version" },
  { text: "latest", version: undefined, because: "a word is none" },
  { text: "01.2.3", version: undefined, because: "SemVer has no leading zeros" },
  { text: "1.2.3.4", version: undefined, because: "SemVer has no fourth number" },
  { text: "1.2.99999999999999999999", version: undefined, because: "it could not be compared exactly" },
  { text: `1.2.3-${"a".repeat(300)}`, version: undefined, because: "it is longer than any tag" },
])("the tag $text is $version, because $because", ({ text, version }) => {
  expect(parseVersion(text, false)?.version).toBe(version);
});

test.each([
  { text: "16.4", version: "16.4.0", because: "the rest is zero" },
  { text: "v18", version: "18.0.0", because: "one number is enough" },
  { text: "22.04", version: "22.4.0", because: "Ubuntu counts months" },
  { text: "3.20-rc1", version: "3.20.0-rc1", because: "pre-releases may be short, too" },
  { text: "a16", version: undefined, because: "it is none" },
])("captured, $text is $version, because $because", ({ text, version }) => {
  expect(parseVersion(text, true)?.version).toBe(version);
});

test.each([
  { range: ">=1.2 <3", version: "1.2.0", stands: "inside", because: "a bound may belong to it" },
  { range: ">=1.2 <3", version: "3.0.0", stands: "range", because: "or not" },
  { range: "^1.4", version: "1.9.9", stands: "inside", because: "^ keeps the first number" },
  { range: "~1.4.2", version: "1.5.0", stands: "range", because: "~ keeps the second" },
  { range: "1.x || 3.x", version: "3.1.0", stands: "inside", because: "one alternative is enough" },
  { range: ">=1.2", version: "1.3.0-rc.1", stands: "preRelease", because: "nobody asked for pre-releases" },
  { range: "*", version: "1.3.0-rc.1", stands: "preRelease", because: "not even so" },
  { range: ">=1.3.0-rc.1", version: "1.3.0-rc.2", stands: "inside", because: "the range names one of 1.3.0" },
  { range: ">=1.3.0-rc.1", version: "1.4.0-rc.1", stands: "preRelease", because: "and none of 1.4.0" },
  { range: "<1.0.0", version: "2.0.0-rc.1", stands: "range", because: "it would be outside anyway" },
])("$version is $stands of $range, because $because", ({ range, version, stands }) => {
  const parsed = parseVersion(version, false);
  expect(parsed && parseRange(range, false)(parsed)).toBe(stands);
});

test("pre-releases are in a range where they are wanted", () => {
  const version = parseVersion("1.3.0-rc.1", false);
  expect(version && parseRange(">=1.2", true)(version)).toBe("inside");
});

test.each(["latest", ">=a", "1.2.3.4", ">>1", "v"])("%s is no range", (text) => {
  expect(() => parseRange(text, false)).toThrow(GrammarError);
});

test("no range of the length that is allowed takes long, nor any version", () => {
  const piece = fc.constantFrom(
    "1",
    "9".repeat(20),
    ".",
    "x",
    "-",
    " ",
    "   ",
    "<",
    ">=",
    "^",
    "~",
    "|",
    "||",
    "a",
    "v",
    "*",
    "+",
  );
  const text = fc.array(piece, { maxLength: 255 }).map((parts) => parts.join("").slice(0, 255));
  let slowest = 0;
  fc.assert(
    fc.property(text, text, (range, version) => {
      const began = process.cpuUsage();
      const parsed = parseVersion(version.slice(0, 128), true) ?? one;
      rangeIfGood(range)?.(parsed);
      slowest = Math.max(slowest, process.cpuUsage(began).user);
    }),
  );
  expect(slowest).toBeLessThan(500_000);
});
