import { alternate } from "./rounds.ts";

test("contestants take turns, the first round does not count, and each goes first as often", async () => {
  const order: string[] = [];
  const measure = (name: string) => async (): Promise<number> => order.push(name);
  const found = await alternate(2, { a: measure("a"), b: measure("b") }, () => undefined);
  expect(order.join("")).toBe("baabba");
  expect(found).toEqual({ a: [3, 6], b: [4, 5] });
});
