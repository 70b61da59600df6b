import { join } from "node:path";
import type { Line } from "../bench.ts";
import { figure, ratio } from "../figure.ts";
import { alternate } from "../rounds.ts";
import { startOurs } from "../servers/ours.ts";
import { startDistribution } from "../servers/peers.ts";

const layers = 4;
const layerBytes = 1024 ** 2;
const clients = 8;

export const pushLine: Line = {
  name: "push",
  title: `Push of images (${layers} layers of 1 MiB), ${clients} clients`,
  async run({ programs, folder, logs, signal, scale, load, profile }, report) {
    const ours = await startOurs(programs, { folder: join(folder, "ours"), profile }, logs, signal);
    const distribution = await startDistribution(programs, join(folder, "distribution"), logs, signal);
    const count = scale.pushedImages;
    let round = 0;
    const push = (url: string) => async () => {
      const images = { repository: `round-${round++}`, count, layers, layerBytes, clients };
      return count / ((await load.push(url, images)).milliseconds / 1000);
    };
    const contestants = { ours: push(ours.url), distribution: push(distribution.url) };
    const found = await alternate(scale.rounds, contestants, report);
    return [
      {
        name: "push",
        title: this.title,
        measures:
          `A client in Go pushes ${count} images of random bytes as crane does: HEAD, POST, PATCH and PUT of each layer ` +
          "and config, then the manifest. Images per second. What either acknowledges it has synced to the disk.",
        unit: "images/s",
        figures: { ours: figure(found.ours), distribution: figure(found.distribution) },
        checks: [
          {
            what: "× distribution",
            value: ratio(found.ours, found.distribution),
            bound: { kind: "at least", value: 1 },
          },
        ],
      },
    ];
  },
};
