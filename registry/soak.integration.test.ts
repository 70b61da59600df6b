import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Soak } from "./testing/soak/soak.ts";

/** Others bring other lives; the long suite lives longer. */
const seed = 5;

test(`after a minute of faults, kills and changes (seed ${seed}) the registry is what its parent is`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "soak-"));
  try {
    const counts = await Soak.run({ seed, conflict: "parentWins", seconds: 45, folder });
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 240_000);
