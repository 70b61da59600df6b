import { provide } from "../../e2e/components/provide.ts";
import { silentProgress } from "../../e2e/terminal/progress.ts";
import { Recording } from "./testing/power-loss.ts";
import { Scratch } from "./testing/scratch.ts";
import { everything, randomScript } from "./testing/scripts.ts";
import { traceScript } from "./testing/trace.ts";

/** Other ones bring other scripts, and other sectors that are lost. */
const seed = 20_261_121;

describe("T81 when the power fails at any moment", () => {
  const scratch = new Scratch();

  afterEach(() => scratch.clear());

  test.each([
    { what: "of everything that a store does", script: everything },
    {
      what: `of a random life (seed ${seed})`,
      script: [...randomScript(seed, 12), { reopen: true as const }, ...randomScript(seed + 1, 12)],
    },
  ])("$what, the store is whole, and has all that was acknowledged", async ({ script }) => {
    const { strace } = provide(["strace"], silentProgress, AbortSignal.timeout(590_000));
    const recording = new Recording(await traceScript(await strace, script, await scratch.onDisk()), script);
    const outages = recording.outages([seed]);
    expect(outages.length).toBeGreaterThan(1_000);
    await expect(recording.damages(outages, await scratch.inMemory())).resolves.toEqual([]);
  });
});
