import { Killer } from "./testing/kills.ts";
import { Scratch } from "./testing/scratch.ts";
import { steps } from "./testing/scripts.ts";

describe("T81 when the process is killed", () => {
  const scratch = new Scratch();

  afterAll(() => scratch.clear());

  test.each(steps)("in $what, the store is whole, and has all that was acknowledged", async ({ script }) => {
    const killer = new Killer(await scratch.inMemory());
    // Some steps: the long suite takes them all.
    for (const step of [9, 14, 19]) await killer.killAt(script, step);
    expect(killer.kills).toBeGreaterThan(0);
  });

  test("anywhere, again and again, the store is whole, and has all that was acknowledged", async () => {
    const killer = new Killer(await scratch.inMemory());
    await killer.lives(6, 1);
    expect(killer.kills).toBeGreaterThan(3);
  });
});
