import { mkdir, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Bench, Line } from "../bench.ts";
import type { PushedImage } from "../clients/load.ts";
import { measureRate, type Rate } from "../clients/wrk.ts";
import { figure, ratio } from "../figure.ts";
import { alternate } from "../rounds.ts";
import { startOurs } from "../servers/ours.ts";
import { startBareNode, startDistribution, startNginx } from "../servers/peers.ts";

const connections = 16;

/** What is pushed, and which paths are asked for. */
interface Subject {
  readonly count: number;
  readonly layers: number;
  readonly layerBytes: number;
  readonly pathOf: (image: PushedImage) => string;
  readonly bodyOf: (image: PushedImage) => Buffer;
}

export const manifests: Subject = {
  count: 100,
  layers: 4,
  layerBytes: 1024,
  pathOf: ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`,
  bodyOf: ({ manifest }) => Buffer.from(manifest),
};

export const smallBlobs: Subject = {
  count: 256,
  layers: 1,
  layerBytes: 4096,
  pathOf: ({ repository, layers: [digest] }) => `/v2/${repository}/blobs/${digest ?? ""}`,
  bodyOf: () => randomBytes(4096),
};

export const manifestLine: Line = {
  name: "manifest",
  title: `GET manifest by tag, ${connections} connections`,
  async run(bench, report) {
    const found = await measure(bench, manifests, report);
    return [
      {
        name: "manifest",
        title: this.title,
        measures: `Requests per second of wrk, which asks for ${manifests.count} tags of ten repositories in turn.`,
        unit: "requests/s",
        figures: rates(found),
        checks: [
          {
            what: "× distribution",
            value: ratio(found.ours.map(rateOf), found.distribution.map(rateOf)),
            bound: { kind: "at least", value: 6 },
          },
          {
            what: "p99 × distribution's",
            value: ratio(
              found.ours.map(({ p99 }) => p99),
              found.distribution.map(({ p99 }) => p99),
            ),
            bound: { kind: "at most", value: 1 },
          },
          { what: "p99 in ms", value: figure(found.ours.map(({ p99 }) => p99)) },
        ],
      },
    ];
  },
};

export const smallBlobLine: Line = {
  name: "small-blob",
  title: `GET 4 KiB blob, ${connections} connections`,
  async run(bench, report) {
    const found = await measure(bench, smallBlobs, report);
    return [
      {
        name: "small-blob",
        title: this.title,
        measures: `Requests per second of wrk, which asks for ${smallBlobs.count} blobs of ten repositories in turn.`,
        unit: "requests/s",
        figures: rates(found),
        checks: [
          {
            what: "× distribution",
            value: ratio(found.ours.map(rateOf), found.distribution.map(rateOf)),
            bound: { kind: "at least", value: 20 },
          },
        ],
      },
    ];
  },
};

type Found = Readonly<Record<"ours" | "distribution" | "nginx" | "bare Node", readonly Rate[]>>;

async function measure(bench: Bench, subject: Subject, report: (fraction: number) => void): Promise<Found> {
  const { programs, folder, logs, signal, scale, load, profile } = bench;
  const ours = await startOurs(programs, { folder: join(folder, "ours"), profile }, logs, signal);
  const distribution = await startDistribution(programs, join(folder, "distribution"), logs, signal);
  const images = { repository: "bench", clients: 8, ...subject };
  const here = (await load.push(ours.url, images)).images;
  const there = (await load.push(distribution.url, images)).images;
  const root = join(folder, "files");
  await asFiles(root, here, subject);
  const nginx = await startNginx(programs, join(folder, "nginx"), root, logs, signal);
  const bytes = Math.max(...here.map((image) => subject.bodyOf(image).length));
  const bare = await startBareNode(programs, bytes, logs, signal);
  const ourPaths = await load.writeList(here.map(subject.pathOf));
  const theirPaths = await load.writeList(there.map(subject.pathOf));
  const rate = (url: string, paths: string) => () =>
    measureRate(programs, { url, paths, connections, seconds: scale.seconds });
  return alternate(
    scale.rounds,
    {
      ours: rate(ours.url, ourPaths),
      distribution: rate(distribution.url, theirPaths),
      nginx: rate(nginx.url, ourPaths),
      "bare Node": rate(bare.url, ourPaths),
    },
    report,
  );
}

/** The same paths as plain files, for nginx. */
async function asFiles(root: string, images: readonly PushedImage[], subject: Subject): Promise<void> {
  for (const image of images) {
    const file = join(root, subject.pathOf(image));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, subject.bodyOf(image));
  }
}

function rates(found: Found) {
  return {
    ours: figure(found.ours.map(rateOf)),
    distribution: figure(found.distribution.map(rateOf)),
    nginx: figure(found.nginx.map(rateOf)),
    "bare Node": figure(found["bare Node"].map(rateOf)),
  };
}

export function rateOf({ requestsPerSecond }: Rate): number {
  return requestsPerSecond;
}
