import { Slots } from "./slots.ts";

describe("slots", () => {
  /** The order in which tasks of these weights run, one after the other, if all come while the first runs. */
  const orderOf = async (weights: readonly number[]): Promise<readonly number[]> => {
    const slots = new Slots(1);
    const order: number[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const first = slots.run(() => promise, 0);
    const all = weights.map((weight) =>
      slots.run(async () => {
        order.push(weight);
      }, weight),
    );
    resolve(undefined);
    await Promise.all([first, ...all]);
    return order;
  };

  test("take the lightest first, and each fourth time the one that has waited longest", async () => {
    await expect(orderOf([9, 5, 1, 4, 3, 2, 8])).resolves.toEqual([1, 2, 3, 9, 4, 5, 8]);
  });

  test("let a heavy one through, however many light ones there are", async () => {
    const order = await orderOf([1000, ...Array.from({ length: 50 }, () => 1)]);
    expect(order.indexOf(1000)).toBe(3);
  });

  test("run so many at once as there are, also after one has failed", async () => {
    const slots = new Slots(2);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      throw new Error("no");
    };
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map((weight) => slots.run(task, weight)));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    expect(most).toBe(2);
    await expect(slots.run(async () => "done", 1)).resolves.toBe("done");
  });

  test("let one more run for each that succeeded, up to the most, and none for one that failed", async () => {
    const slots = new Slots(1, 3);
    const seen: number[] = [];
    let running = 0;
    const task = async (fails: boolean): Promise<void> => {
      seen.push(++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (fails) throw new Error("no");
    };
    const outcomes = [true, true, false, false, false, false, false, false];
    await Promise.allSettled(outcomes.map((fails) => slots.run(() => task(fails), 1)));
    expect(seen.slice(0, 3)).toEqual([1, 1, 1]);
    expect(Math.max(...seen)).toBe(3);
  });
});
