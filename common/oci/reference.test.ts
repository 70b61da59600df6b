import { InvalidReferenceError, parseRepository, parseTag } from "./reference.ts";

describe("parseRepository", () => {
  test.each(["hello", "apps/hello", "123/app", "a/b/c/d", "a.b/c_d/e__f/g-h", "x".repeat(255)])(
    "takes %s",
    (text) => {
      expect(parseRepository(text)).toBe(text);
    },
  );

  test.each([
    { text: "", because: "it is empty" },
    { text: "Apps/hello", because: "upper case is not allowed" },
    { text: "../../etc/passwd", because: "it climbs out of the store" },
    { text: "a//b", because: "a component is empty" },
    { text: "a/", because: "a component is empty" },
    { text: "a/_uploads", because: "a component begins with a separator" },
    { text: "a\\b", because: "a backslash is a separator elsewhere" },
    { text: "a\0b", because: "NUL ends a path" },
    { text: "x".repeat(256), because: "it is too long" },
  ])("S50 refuses $text: $because", ({ text }) => {
    expect(() => parseRepository(text)).toThrow(InvalidReferenceError);
  });

  test("answers at once on a name made to backtrack", () => {
    expect(() => parseRepository(`${"a-".repeat(120)}!`)).toThrow(InvalidReferenceError);
  });
});

describe("parseTag", () => {
  test.each(["latest", "1.0", "_x", "A".repeat(128)])("takes %s", (text) => {
    expect(parseTag(text)).toBe(text);
  });

  test.each([
    { text: "", because: "it is empty" },
    { text: ".hidden", because: "it begins with a dot" },
    { text: "a/b", because: "it is a path" },
    { text: "A".repeat(129), because: "it is too long" },
  ])("S50 refuses $text: $because", ({ text }) => {
    expect(() => parseTag(text)).toThrow(InvalidReferenceError);
  });
});
