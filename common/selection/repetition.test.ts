import fc from "fast-check";
import { RE2JS } from "re2js";
import { expandedLength } from "./repetition.ts";

test.each([
  { expression: "abc", length: 3, because: "nothing is repeated" },
  { expression: "a{5}b", length: 6, because: "a count repeats what stands before it" },
  { expression: "a{2,5}", length: 5, because: "the most counts" },
  { expression: "a{3,}", length: 3, because: "no most is no more than the least" },
  { expression: "(ab){10}", length: 20, because: "a group is repeated as a whole" },
  { expression: "((ab){10}){10}", length: 200, because: "groups nest" },
  { expression: "[a-z]{10}", length: 10, because: "a class is one character" },
  { expression: "[])]{10}", length: 10, because: "a bracket that comes first is one of its characters" },
  { expression: "([)]a){10}", length: 20, because: "a parenthesis in a class closes nothing" },
  { expression: "(\\)a){10}", length: 20, because: "nor does an escaped one" },
  { expression: "(\\Q)\\Ea){10}", length: 20, because: "nor does a quoted one" },
  { expression: "((((a", length: 1, because: "what is wrong is for the compiler to say" },
])("$expression has $length, because $because", ({ expression, length }) => {
  expect(expandedLength(expression)).toBe(length);
});

test("never says that much is little: a program is at most a few times as long", () => {
  const leaf = fc.constantFrom("a", "\\d", "[a-z]", "[)]", "\\(", ".", "\\QA)\\E");
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.array(tie("expression"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
      fc
        .tuple(tie("expression"), fc.constantFrom("*", "+", "?", "{3}", "{2,4}", "{0,6}"))
        .map(([inner, times]) => `(${inner})${times}`),
      fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(?:${a}|${b})`),
    ),
  }));
  fc.assert(
    fc.property(expression, (text) => {
      expect(RE2JS.compile(text).programSize()).toBeLessThanOrEqual(6 * expandedLength(text) + 5);
    }),
  );
});
