import { Killer } from "./testing/kills.ts";
import { Scratch } from "./testing/scratch.ts";
import { steps } from "./testing/scripts.ts";

/** Other ones bring other lives. */
const seed = 20_261_121;

/** Beside those at every step. */
const anywhere = 450;

test("T81 the store is whole after each of more than 500 kills, and has all that was acknowledged", async () => {
  const scratch = new Scratch();
  try {
    const killer = new Killer(await scratch.inMemory());
    for (let step = 1; await killer.killAt([], { during: "opening", step }); step++);
    for (const { script } of steps) {
      for (let step = 1; await killer.killAt(script, { during: "work", step }); step++);
    }
    for (let step = 1; await killer.killScrubAt(step); step++);
    const atSteps = killer.kills;
    for (let store = 0; killer.kills < atSteps + anywhere; store++) {
      await killer.lives(40, seed + store * 40);
    }
    process.stderr.write(`${atSteps} kills at every step, ${killer.kills - atSteps} anywhere\n`);
    expect(atSteps).toBeGreaterThan(150);
    expect(killer.kills).toBeGreaterThan(500);
  } finally {
    await scratch.clear();
  }
});
