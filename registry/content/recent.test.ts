import { Recent } from "./recent.ts";

const recent = (limit: number): Recent<string> => new Recent(limit, ({ length }) => length);

test("what was not used for longest goes first, as soon as there are too many bytes", () => {
  const values = recent(6);
  values.set("a", "aaa");
  values.set("b", "bb");
  expect(values.get("a")).toBe("aaa");
  values.set("c", "cc");
  expect([values.get("a"), values.get("b"), values.get("c")]).toEqual(["aaa", undefined, "cc"]);
});

test("a value that replaces another counts instead of it", () => {
  const values = recent(4);
  values.set("a", "aa");
  values.set("a", "aaa");
  values.set("b", "b");
  expect([values.get("a"), values.get("b")]).toEqual(["aaa", "b"]);
});

test("what alone is too large is not kept, and drives nothing out", () => {
  const values = recent(4);
  values.set("a", "a");
  values.set("b", "bbbbb");
  expect([values.get("a"), values.get("b")]).toEqual(["a", undefined]);
});

test("what was deleted or cleared makes room", () => {
  const values = recent(4);
  values.set("a", "aaaa");
  values.delete("a");
  values.set("b", "bbbb");
  expect(values.get("b")).toBe("bbbb");
  values.clear();
  values.set("c", "cccc");
  expect([values.get("b"), values.get("c")]).toEqual([undefined, "cccc"]);
});
