import { join } from "node:path";
import type { Bench, Line } from "../bench.ts";
import { Regsync } from "../clients/regsync.ts";
import { figure } from "../figure.ts";
import { startDistribution } from "../servers/peers.ts";
import { memoryOf } from "../servers/server.ts";
import { memoryBound, syncedImages } from "./images.ts";
import { OurSync } from "./ours.ts";
import { FarParent } from "./parent.ts";

const link = { bitsPerSecond: 50_000_000, roundTripMs: 100 } as const;

export const slowLinkLine: Line = {
  name: "slow-link",
  title: `Initial copy over ${link.bitsPerSecond / 1e6} Mbit/s with ${link.roundTripMs} ms latency`,
  async run(bench, report) {
    const images = syncedImages(bench.scale);
    report(undefined, "filling the parent");
    return await FarParent.with(bench, images, async (parent) => {
      report(undefined, "ours");
      const ours = await copyByOurs(bench, parent);
      report(undefined, "regsync");
      const regsync = await copyByRegsync(bench, parent);
      const peak = figure([ours.peak]);
      return [
        {
          name: this.name,
          title: this.title,
          measures:
            `${images.count} images of 4 layers of 1 MiB under ${parent.tagPaths.length} tags, once. Netem delays and ` +
            "shapes a network namespace's link. Of what it can carry from the start of our process, or of regsync, to the " +
            "end of the copy: how much it carried, heads of packets included.",
          unit: "s",
          figures: { ours: figure([ours.seconds]), regsync: figure([regsync.seconds]) },
          checks: [
            {
              what: "% of the link used",
              value: figure([used(ours)]),
              bound: { kind: "at least" as const, value: 90 },
            },
            { what: "% of the link used by regsync", value: figure([used(regsync)]) },
            { what: "× the time of regsync", value: figure([ours.seconds / regsync.seconds]) },
            { what: "MiB resident", value: peak, bound: { kind: "at most" as const, value: memoryBound } },
          ],
        },
      ];
    });
  },
};

interface Copied {
  readonly seconds: number;
  /** On the wire. */
  readonly bytes: number;
}

function used({ bytes, seconds }: Copied): number {
  return (100 * 8 * bytes) / (seconds * link.bitsPerSecond);
}

async function copyByOurs(bench: Bench, parent: FarParent): Promise<Copied & { readonly peak: number }> {
  const registry = await OurSync.create(bench, parent.host, join(bench.folder, "ours"));
  try {
    await parent.site.shape(link);
    await registry.start();
    const { milliseconds } = await registry.firstSync();
    const bytes = await parent.site.sent();
    return { seconds: milliseconds / 1000, bytes, peak: (await memoryOf(registry)).peak };
  } finally {
    await registry.stop();
  }
}

async function copyByRegsync({ programs, folder, logs, signal }: Bench, parent: FarParent): Promise<Copied> {
  const target = await startDistribution(programs, join(folder, "target"), logs, signal);
  try {
    const tool = await Regsync.create(programs.regsync, parent.host, new URL(target.url).host, folder);
    await parent.site.shape(link);
    const milliseconds = await tool.once();
    return { seconds: milliseconds / 1000, bytes: await parent.site.sent() };
  } finally {
    await target.stop();
  }
}
