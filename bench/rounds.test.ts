import { alternate } from "./rounds.ts";

test("contestants take turns, the first round does not count, and each goes first, and after each other, as often", async () => {
  const order: string[] = [];
  const measure = (name: string) => async (): Promise<number> => order.push(name);
  const found = await alternate(2, { a: measure("a"), b: measure("b") }, () => undefined);
  expect(order.join("")).toBe("ababba");
  expect(found).toEqual({ a: [3, 6], b: [4, 5] });
});

test("of three contestants each order has its round", async () => {
  const order: string[] = [];
  const measure = (name: string) => async (): Promise<number> => order.push(name);
  await alternate(6, { a: measure("a"), b: measure("b"), c: measure("c") }, () => undefined);
  const rounds = order.join("").slice(3).match(/.../gu);
  expect(new Set(rounds)).toEqual(new Set(["abc", "acb", "bac", "bca", "cab", "cba"]));
});
