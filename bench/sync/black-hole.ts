import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Line } from "../bench.ts";
import { figure } from "../figure.ts";
import { memoryOf } from "../servers/server.ts";
import { memoryBound, syncedImages } from "./images.ts";
import { OurSync } from "./ours.ts";
import { FarParent } from "./parent.ts";

/** From the cut on, so that it is asked before anybody noticed, while everything times out, and after. */
const seconds = 60;

export const blackHoleLine: Line = {
  name: "black-hole",
  title: "Cached tags while the parent is a black hole",
  async run(bench, report) {
    const { scale, load, folder, signal } = bench;
    const images = { ...syncedImages(scale), layerBytes: 1024 };
    report(undefined, "filling the parent");
    return await FarParent.with(bench, images, async (parent) => {
      const registry = await OurSync.create(bench, parent.host, join(folder, "ours"));
      try {
        await registry.start();
        await registry.firstSync();
        await parent.site.blackHole();
        const times: number[] = [];
        const end = performance.now() + seconds * 1000;
        while (performance.now() < end) {
          report(1 - (end - performance.now()) / 1000 / seconds);
          times.push(...(await load.times(registry.url, parent.tagPaths)));
          await delay(500, undefined, { signal });
        }
        const state = (await registry.status()).connectionState;
        if (state !== "Offline") throw new Error(`a registry without its parent says that it is ${state}`);
        const sorted = [...times].sort((a, b) => a - b);
        const p99 = figure([sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN]);
        return [
          {
            name: this.name,
            title: this.title,
            measures:
              `GET of each of ${parent.tagPaths.length} tags, over and over for ${seconds} s from the moment on in which ` +
              "all packets to and from the parent begin to disappear. The slowest hundredth.",
            unit: "ms",
            figures: { ours: p99 },
            checks: [
              { what: "p99 in ms", value: p99, bound: { kind: "at most" as const, value: 50 } },
              { what: "slowest in ms", value: figure([sorted.at(-1) ?? Number.NaN]) },
              {
                what: "MiB resident",
                value: figure([(await memoryOf(registry)).peak]),
                bound: { kind: "at most" as const, value: memoryBound },
              },
            ],
          },
        ];
      } finally {
        await registry.stop();
      }
    });
  },
};
