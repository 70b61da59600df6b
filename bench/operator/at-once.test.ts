import { atOnce } from "./at-once.ts";

test("does as many at a time as it may, in their order", async () => {
  const [begun, gates] = [[] as number[], [1, 2, 3].map(() => Promise.withResolvers<undefined>())];
  const all = atOnce(2, [0, 1, 2], async (i) => {
    begun.push(i);
    await gates[i]?.promise;
  });
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve(undefined);
  await all;
});

test("begins none after one that failed", async () => {
  const begun: number[] = [];
  const all = atOnce(1, [0, 1, 2], async (i) => {
    begun.push(i);
    if (i === 1) throw new RangeError("no");
  });
  await expect(all).rejects.toThrow("no");
  expect(begun).toEqual([0, 1]);
});
