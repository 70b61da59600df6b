import { Killer } from "./testing/kills.ts";
import { Scratch } from "./testing/scratch.ts";
import { steps } from "./testing/scripts.ts";

describe("T81 when the process is killed", () => {
  const scratch = new Scratch();
  let killer: Killer;

  beforeAll(async () => {
    killer = new Killer(await scratch.inMemory());
  });

  afterAll(() => scratch.clear());

  test.each(steps)("in $what, the store is whole, and has all that was acknowledged", async ({ script }) => {
    const before = killer.kills;
    // Some steps: the long suite takes them all.
    for (const step of [1, 4, 9]) if (!(await killer.killAt(script, { during: "work", step }))) break;
    expect(killer.kills).toBeGreaterThan(before);
  });

  test("in a scrub that has damage to find, the next one finds it, and a good copy mends it", async () => {
    const before = killer.kills;
    for (const step of [2, 6, 10]) if (!(await killer.killScrubAt(step))) break;
    expect(killer.kills).toBeGreaterThan(before);
  });

  test("anywhere, again and again, the store is whole, and has all that was acknowledged", async () => {
    const before = killer.kills;
    await killer.lives(6, 1);
    expect(killer.kills).toBeGreaterThan(before + 3);
  });
});
