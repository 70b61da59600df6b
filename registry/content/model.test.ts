import fc from "fast-check";
import { likeTheModel } from "./testing/commands.ts";
import { Scratch } from "./testing/scratch.ts";
import { storeInMemory, storeOnDisk } from "./testing/stores.ts";

/** Always the same here; the long suite tries more. */
const quick = { seed: 4, numRuns: 6 };

describe("whatever clients do, crashes and collections of garbage included, the store does what the model does", () => {
  const scratch = new Scratch();

  afterAll(() => scratch.clear());

  test("on a disk", async () => {
    const lives = likeTheModel(async () => storeOnDisk(await scratch.inMemory()));
    await expect(fc.assert(lives, quick)).resolves.toBeUndefined();
  }, 60_000);

  test("in memory", async () => {
    const lives = likeTheModel(async () => storeInMemory);
    await expect(fc.assert(lives, quick)).resolves.toBeUndefined();
  }, 60_000);
});
