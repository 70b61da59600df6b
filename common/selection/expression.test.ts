import fc from "fast-check";
import { compileExpression, type Expression } from "./expression.ts";
import { GrammarError } from "./faults.ts";

function compiledIfGood(text: string): Expression | undefined {
  try {
    return compileExpression(text);
  } catch (error) {
    if (error instanceof GrammarError) return undefined;
    throw error;
  }
}

test.each([
  { expression: "1\\.2", tag: "1.2", matches: true, because: "it is the tag" },
  { expression: "1\\.2", tag: "11.2", matches: false, because: "it begins too early (T08)" },
  { expression: "1\\.2", tag: "1.2.3", matches: false, because: "it ends too late (T08)" },
  { expression: "^1\\.2$", tag: "1.2", matches: true, because: "anchors may be written, too" },
  { expression: "a|ab", tag: "ab", matches: true, because: "the alternative that takes all of it counts" },
  { expression: "v\\d+", tag: "v12", matches: true, because: "classes have names" },
  { expression: "(?i)RC", tag: "rc", matches: true, because: "flags may be set" },
  { expression: "", tag: "a", matches: false, because: "nothing is not something" },
])("$expression and $tag: $matches, because $because", ({ expression, tag, matches }) => {
  expect(compileExpression(expression).matches(tag)).toBe(matches);
});

test.each([
  { expression: "\\d+", tag: "16", version: "16", because: "without a group the tag is the version" },
  { expression: "(.*)-alpine", tag: "16.4-alpine", version: "16.4", because: "the only group is" },
  {
    expression: "(?P<version>.*)-(alpine|slim)",
    tag: "16.4-slim",
    version: "16.4",
    because: "the name says which",
  },
  { expression: "(?<version>.*)-(a|b)", tag: "1-b", version: "1", because: "a name is written in two ways" },
  { expression: "(?:a|b)-(.*)", tag: "b-1", version: "1", because: "what captures nothing does not count" },
  { expression: "(.*)-alpine", tag: "16.4", version: undefined, because: "it does not match" },
  { expression: "latest|v(.*)", tag: "latest", version: undefined, because: "the group took no part" },
])("of $tag, $expression compares $version, because $because", ({ expression, tag, version }) => {
  expect(compileExpression(expression).version?.of(tag)).toBe(version);
});

test("several groups without a name leave open what is compared", () => {
  expect(compileExpression("(a)(b)").version).toBeUndefined();
});

test.each([
  { expression: "(", says: "missing closing", because: "it is not complete" },
  { expression: "[z-a]", says: "invalid character class range", because: "the range runs backwards" },
  { expression: "(?=a)", says: "no look-around", because: "RE2 has none" },
  { expression: "(a)\\1", says: "no back-references", because: "RE2 has none" },
  { expression: "a{1001}", says: "invalid repeat count", because: "RE2 counts no further" },
  { expression: "a{1000}", says: "smaller repetitions", because: "it is more work than any tag is worth" },
  {
    expression: `(?:${"a".repeat(245)}){1000}`,
    says: "smaller repetitions",
    because: "it is not even compiled",
  },
])("$expression is refused, because $because", ({ expression, says }) => {
  expect(() => compileExpression(expression)).toThrow(GrammarError);
  expect(() => compileExpression(expression)).toThrow(says);
});

test("what would keep a backtracking matcher busy for ever is answered at once", () => {
  const began = process.cpuUsage();
  for (const evil of ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*(.*)*c", "(a?){50}a{50}b"]) {
    const { matches, version } = compileExpression(evil);
    expect([matches("a".repeat(128)), version?.of("a".repeat(128))]).toEqual([false, undefined]);
  }
  // A backtracking matcher takes 2^128 steps; this is a thousand times what ours needs, on a slow machine.
  expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
});

test("no expression, however it is made, takes long for a tag", () => {
  const part = fc.constantFrom(
    "a",
    "b",
    ".",
    "a*",
    "(a|b)*",
    "(a*)*",
    "(?:.*a){3}",
    "[ab]{1,9}",
    "(a|ab)",
    "+",
    "?",
    "|",
  );
  const tag = fc.stringMatching(/^[ab]{100,128}$/);
  let slowest = 0;
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 20 }), tag, (parts, text) => {
      const expression = compiledIfGood(parts.join(""));
      const began = process.cpuUsage();
      for (let i = 0; i < 10; i += 1) expression?.version?.of(text);
      slowest = Math.max(slowest, process.cpuUsage(began).user / 10);
    }),
    { numRuns: 200 },
  );
  expect(slowest).toBeLessThan(100_000);
});

test("says the same as the engine of JavaScript, where both can say something", () => {
  const part = fc.constantFrom("a", "b", ".", "\\.", "a*", "b+", "(?:a|b)", "[^a]", "a{2}", "(?:ab?){1,3}");
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 8 }),
      fc.stringMatching(/^[ab.]{0,12}$/),
      (parts, tag) => {
        const expression = parts.join("");
        expect(compileExpression(expression).matches(tag)).toBe(
          new RegExp(`^(?:${expression})$`, "s").test(tag),
        );
      },
    ),
  );
});
