import { Killer } from "./testing/kills.ts";
import { Scratch } from "./testing/scratch.ts";
import { steps } from "./testing/scripts.ts";

/** Other ones bring other lives. */
const seed = 20_261_121;

test("T81 the store is whole after each of more than 500 kills, and has all that was acknowledged", async () => {
  const scratch = new Scratch();
  try {
    const killer = new Killer(await scratch.inMemory());
    for (let step = 1; await killer.killAt([], { during: "opening", step }); step++);
    for (const { script } of steps) {
      for (let step = 1; await killer.killAt(script, { during: "work", step }); step++);
    }
    for (let store = 0; killer.kills < 600; store++) await killer.lives(40, seed + store * 40);
    expect(killer.kills).toBeGreaterThanOrEqual(600);
  } finally {
    await scratch.clear();
  }
});
