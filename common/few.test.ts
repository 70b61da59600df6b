import { few } from "./few.ts";

test.each([
  { names: [], expected: "", because: "there may be none" },
  { names: ["a", "b", "c"], expected: "a, b, c", because: "three are few" },
  {
    names: ["a", "b", "c", "d", "e"],
    expected: "a, b, c and 2 more",
    because: "of the others only their number is told",
  },
  {
    names: ["a"],
    options: { total: 7 },
    expected: "a and 6 more",
    because: "the caller may know of more than it names",
  },
  {
    names: ["a", "b"],
    options: { separator: "; " },
    expected: "a; b",
    because: "names may have commas in them",
  },
])("$expected: $because", ({ names, options, expected }) => {
  expect(few(names, options)).toBe(expected);
});
