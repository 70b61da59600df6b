import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, Line } from "../bench.ts";
import { figure } from "../figure.ts";
import { memoryOf } from "../servers/server.ts";
import { memoryBound } from "./images.ts";
import { OurSync } from "./ours.ts";
import { FarParent } from "./parent.ts";

const bitsPerSecond = 400_000_000;
const killedAt = 0.6;
const mebibyte = 1024 ** 2;

export const resumeLine: Line = {
  name: "resume",
  title: "A large layer goes on after kill -9",
  async run(bench, report) {
    const bytes = bench.scale.resumedBytes;
    report(undefined, "filling the parent");
    const images = { repository: "large", count: 1, layers: 1, layerBytes: bytes, clients: 1 };
    return await FarParent.with(bench, images, async (parent) => {
      report(undefined, "undisturbed");
      const undisturbed = await copy(bench, parent);
      report(undefined, `killed at ${killedAt * 100} %`);
      const killed = await copy(bench, parent, killedAt * bytes);
      // What the heads of packets add is the same share of both.
      const again = ((killed.sent - undisturbed.sent) / undisturbed.sent) * (bytes / mebibyte);
      const peak = Math.max(killed.peak, undisturbed.peak);
      return [
        {
          name: this.name,
          title: `${bytes / mebibyte} MiB layer, kill -9 at ${killedAt * 100} %, and again from there`,
          measures:
            `What the parent's link (${bitsPerSecond / 1e6} Mbit/s) carried of the two parts ` +
            "together, less what it carried of the same layer undisturbed.",
          unit: "MiB",
          figures: { ours: figure([again]) },
          checks: [
            {
              what: "MiB fetched again",
              value: figure([again]),
              bound: { kind: "at most" as const, value: 8 },
            },
            {
              what: "MiB resident",
              value: figure([peak]),
              bound: { kind: "at most" as const, value: memoryBound },
            },
          ],
        },
      ];
    });
  },
};

interface Copied {
  /** On the wire. */
  readonly sent: number;
  readonly peak: number;
}

/** @param killAfter so many bytes on the wire: then it is killed, and started again */
async function copy(bench: Bench, parent: FarParent, killAfter?: number): Promise<Copied> {
  const folder = join(bench.folder, "ours");
  const registry = await OurSync.create(bench, parent.host, folder);
  try {
    await parent.site.narrow(bitsPerSecond);
    await registry.start();
    if (killAfter !== undefined) {
      while ((await parent.site.sent()) < killAfter) await delay(100, undefined, { signal: bench.signal });
      await registry.kill();
      await registry.start();
    }
    await registry.firstSync();
    return { sent: await parent.site.sent(), peak: (await memoryOf(registry)).peak };
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true });
  }
}
