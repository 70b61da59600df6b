import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Soak } from "./testing/soak/soak.ts";

/** Another one is another life. */
const seed = 20_261_121;

test.each([
  { conflict: "parentWins" as const, minutes: 20 },
  { conflict: "localWins" as const, minutes: 5 },
  { conflict: "keepBoth" as const, minutes: 5 },
])(
  `after $minutes minutes of faults, kills and changes (seed ${seed}, $conflict) both sides agree`,
  async ({ conflict, minutes }) => {
    const folder = await mkdtemp(join(tmpdir(), "soak-"));
    try {
      const counts = await Soak.run({ seed, conflict, seconds: 60 * minutes, folder });
      process.stderr.write(`${JSON.stringify(counts)}\n`);
      // How often things happen depends on the machine; that each did many times does not.
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(3 * minutes);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  3_600_000,
);
