import fc from "fast-check";
import { matchesGlob } from "./glob.ts";

test.each([
  { glob: "1.0", text: "1.0", matches: true, because: "a name stands for itself" },
  { glob: "1.0", text: "1x0", matches: false, because: "a dot is a dot" },
  { glob: "1.0", text: "1.0.1", matches: false, because: "all of it must match" },
  { glob: "*", text: "latest", matches: true, because: "a star stands for anything" },
  { glob: "*", text: "", matches: true, because: "also for nothing" },
  { glob: "apps/*", text: "apps/hello", matches: true, because: "a star stands for one path component" },
  { glob: "apps/*", text: "apps/a/b", matches: false, because: "and not for two" },
  { glob: "apps/**", text: "apps/a/b", matches: true, because: "two stars stand for many" },
  { glob: "**/base", text: "a/b/base", matches: true, because: "in every place" },
  { glob: "v*-rc*", text: "v1-rc2", matches: true, because: "there may be several" },
  { glob: "v*-rc*", text: "v1", matches: false, because: "what stands between them must be there" },
])("$glob and $text: $matches, $because", ({ glob, text, matches }) => {
  expect(matchesGlob(glob, text)).toBe(matches);
});

test("a pattern that would keep a backtracking matcher busy for ever is answered at once", () => {
  expect(matchesGlob("a*".repeat(100) + "b", "a".repeat(128))).toBe(false);
});

test("says the same as a regular expression", () => {
  const part = fc.constantFrom("a", "b", "/", "*", "**", ".", "+");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.stringMatching(/^[ab/.+]{0,10}$/), (parts, text) => {
      // Two stars side by side would be read as one token.
      const tokens = parts.filter((token, i) => !(token.startsWith("*") && parts[i - 1]?.startsWith("*")));
      const pattern = tokens.map((token) =>
        token === "**" ? "[^]*" : token === "*" ? "[^/]*" : `\\${token}`.replace(/\\([ab/])/, "$1"),
      );
      expect(matchesGlob(tokens.join(""), text)).toBe(new RegExp(`^${pattern.join("")}$`).test(text));
    }),
  );
});
