import { digits, figure, ratio } from "./figure.ts";

test.each([
  { values: [3, 1, 2], median: 2, because: "the middle one of an odd number" },
  { values: [4, 1, 2, 3], median: 2.5, because: "between the middle two of an even number" },
  { values: [7], median: 7, because: "one value is its own middle" },
  { values: [10, 9, 100], median: 10, because: "numbers are not sorted as text" },
])("the median of $values is $median: $because", ({ values, median }) => {
  expect(figure(values)).toEqual({ median, low: Math.min(...values), high: Math.max(...values) });
});

test("nothing measured is no figure", () => {
  expect(() => figure([])).toThrow(RangeError);
});

test("a ratio compares what was measured in the same round", () => {
  expect(ratio([10, 2], [5, 1])).toEqual({ median: 2, low: 2, high: 2 });
});

test.each([
  { value: 1.234, text: "1.23" },
  { value: 45.67, text: "45.7" },
  { value: 999.4, text: "999" },
  { value: 12_345.6, text: "12,346" },
])("$value reads $text", ({ value, text }) => {
  expect(digits(value)).toBe(text);
});
