import { provide } from "../../e2e/components/provide.ts";
import { silentProgress } from "../../e2e/terminal/progress.ts";
import { Recording, sampled } from "./testing/power-loss.ts";
import { Scratch } from "./testing/scratch.ts";
import { bulky, everything, randomScript } from "./testing/scripts.ts";
import { traceScript } from "./testing/trace.ts";

/** Other ones bring other scripts, and other sectors that are lost. */
const seed = 20_261_121;

describe("T81 when the power fails at any moment", () => {
  const scratch = new Scratch();

  afterEach(() => scratch.clear());

  test.each([
    { what: "in everything that a store does", script: everything, most: Infinity },
    {
      what: `in a random life (seed ${seed})`,
      script: [...randomScript(seed, 12), { reopen: "as it is" as const }, ...randomScript(seed + 1, 12)],
      most: Infinity,
    },
    // Thousands of moments in which one page after the other is copied.
    { what: "in changes that fill the log of the database", script: bulky, most: 2_000 },
  ])("$what, the store is whole, and has all that was acknowledged", async ({ what, script, most }) => {
    const { strace } = provide(["strace"], silentProgress, AbortSignal.timeout(590_000));
    const recording = new Recording(await traceScript(await strace, script, await scratch.onDisk()), script);
    const outages = sampled(recording.outages([seed]), most);
    process.stderr.write(`the power fails ${outages.length} times ${what}\n`);
    expect(outages.length).toBeGreaterThan(1_000);
    await expect(recording.damages(outages, await scratch.inMemory())).resolves.toEqual([]);
  });
});
