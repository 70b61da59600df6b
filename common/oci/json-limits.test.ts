import { isTooComplex } from "./json-limits.ts";

test.each([
  { json: "[".repeat(65), because: "S03 it is too deep" },
  { json: `[${'{"a":'.repeat(64)}`, because: "S03 objects count as much as lists" },
  { json: `[${"{},".repeat(200_000)}{}]`, because: "S03 it has too many objects" },
  { json: `{"a":[${"1,".repeat(250_001)}1]}`, because: "S03 it has too many numbers" },
])("a document is too complex: $because", ({ json }) => {
  expect(isTooComplex(json)).toBe(true);
});

test.each([
  { json: `{"a":"${"[".repeat(100)}"}`, because: "brackets in text are text" },
  { json: `{"a":"\\"${"[".repeat(100)}"}`, because: "an escaped quotation mark does not end a text" },
  { json: `[${"[],".repeat(10_000)}[]]`, because: "side by side is not deep" },
  { json: '{"a":"', because: "what is no JSON is somebody else's to refuse" },
])("$json is not too complex: $because", ({ json }) => {
  expect(isTooComplex(json)).toBe(false);
});
