import { sameJson } from "./same-json.ts";

test.each([
  {
    a: { x: 1, y: [1, 2] },
    b: { y: [1, 2], x: 1 },
    same: true,
    because: "the order of fields means nothing",
  },
  { a: [1, 2], b: [2, 1], same: false, because: "the order of a list means something" },
  { a: { x: undefined }, b: {}, same: true, because: "an undefined field is none" },
  { a: { x: null }, b: {}, same: false, because: "null is a value" },
  { a: {}, b: [], same: false, because: "a list is no object" },
  { a: { x: { y: "1" } }, b: { x: { y: 1 } }, same: false, because: "text is no number" },
  { a: { x: 1 }, b: structuredClone({ x: 1 }), same: true, because: "another realm's object says the same" },
])("$because", ({ a, b, same }) => {
  expect(sameJson(a, b)).toBe(same);
  expect(sameJson(b, a)).toBe(same);
});
