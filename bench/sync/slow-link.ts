import { join } from "node:path";
import { FaultLink } from "../../common/testing/fault-link.ts";
import type { Bench, Line } from "../bench.ts";
import { Regsync } from "../clients/regsync.ts";
import { figure } from "../figure.ts";
import { startDistribution } from "../servers/peers.ts";
import { memoryOf } from "../servers/server.ts";
import { memoryBound, syncedImages } from "./images.ts";
import { OurSync } from "./ours.ts";
import { FarParent, parentPort } from "./parent.ts";

const bitsPerSecond = 50_000_000;
const roundTripMs = 100;

export const slowLinkLine: Line = {
  name: "slow-link",
  title: `Initial copy over ${bitsPerSecond / 1e6} Mbit/s with ${roundTripMs} ms latency`,
  async run(bench, report) {
    const images = syncedImages(bench.scale);
    report(undefined, "filling the parent");
    return await FarParent.with(bench, images, async (parent) => {
      report(undefined, "ours");
      const ours = await over(parent, (host, carried) => copyByOurs(bench, host, carried));
      report(undefined, "regsync");
      const regsync = await over(parent, (host, carried) =>
        copyByRegsync(bench, host, parent.repositories, carried),
      );
      const peak = figure([ours.peak]);
      return [
        {
          name: this.name,
          title: this.title,
          measures:
            `${images.count} images of 4 layers of 1 MiB under ${parent.tagPaths.length} tags, once, by way of a TCP proxy ` +
            "that delays and paces what it carries. Of what it can carry from the start of our process, or of regsync, to the " +
            "end of the copy: how much it carried towards us.",
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
  /** That the link carried to us. */
  readonly bytes: number;
}

function used({ bytes, seconds }: Copied): number {
  return (100 * 8 * bytes) / (seconds * bitsPerSecond);
}

/** What `work` returns; meanwhile the parent can be reached as a host that is far away. */
async function over<T>(
  { site }: FarParent,
  work: (host: string, carried: () => number) => Promise<T>,
): Promise<T> {
  const link = await FaultLink.start({ host: site.address, port: parentPort });
  try {
    link.set({ latencyMs: roundTripMs / 2, bytesPerSecond: bitsPerSecond / 8 });
    return await work(link.host, () => link.counted.down);
  } finally {
    await link.stop();
  }
}

async function copyByOurs(
  bench: Bench,
  parent: string,
  carried: () => number,
): Promise<Copied & { readonly peak: number }> {
  const registry = await OurSync.create(bench, parent, join(bench.folder, "ours"));
  try {
    await registry.start();
    const milliseconds = await registry.firstSync();
    return { seconds: milliseconds / 1000, bytes: carried(), peak: (await memoryOf(registry)).peak };
  } finally {
    await registry.stop();
  }
}

async function copyByRegsync(
  { programs, folder, logs, signal }: Bench,
  parent: string,
  repositories: readonly string[],
  carried: () => number,
): Promise<Copied> {
  const target = await startDistribution(programs, join(folder, "target"), logs, signal);
  try {
    const { host } = new URL(target.url);
    const tool = await Regsync.create(programs.regsync, parent, host, repositories, folder);
    const milliseconds = await tool.once();
    return { seconds: milliseconds / 1000, bytes: carried() };
  } finally {
    await target.stop();
  }
}
