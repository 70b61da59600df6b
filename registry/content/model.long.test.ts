import fc from "fast-check";
import { likeTheModel } from "./testing/commands.ts";
import { Scratch } from "./testing/scratch.ts";
import { storeOnDisk } from "./testing/stores.ts";

/** Other ones bring other lives. A failure names its own, and the way to the smallest example. */
const seed = 20_261_121;

test(`in 10,000 steps (seed ${seed}) the store does what the model does`, async () => {
  const scratch = new Scratch();
  let steps = 0;
  const count = (): void => {
    steps += 1;
  };
  try {
    for (let round = 0; steps < 10_000; round++) {
      await fc.assert(
        likeTheModel(async () => storeOnDisk(await scratch.inMemory()), count),
        { seed: seed + round, numRuns: 10 },
      );
      await scratch.clear();
    }
    process.stderr.write(`${steps} steps\n`);
    expect(steps).toBeGreaterThanOrEqual(10_000);
  } finally {
    await scratch.clear();
  }
});
