import { link, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bench, Line } from "../bench.ts";
import { figure, ratio } from "../figure.ts";
import type { Check, LineResult } from "../line.ts";
import { alternate } from "../rounds.ts";
import { startOurs } from "../servers/ours.ts";
import { startDistribution, startNginx } from "../servers/peers.ts";

const repository = "bench/large";

/** Of how many streams at once, how fast we must be. */
const required = [
  { streams: 1, distribution: 1, nginx: 0.7 },
  { streams: 8, distribution: 1, nginx: 0.9 },
] as const;

/** Three programs on two processors wait for each other: a round varies more than what there is to see. */
const moreRounds = 3;

export const largeBlobLine: Line = {
  name: "large-blob",
  title: "GET large blob, one stream and eight",
  async run(bench, report) {
    const urls = await start(bench);
    const results: LineResult[] = [];
    for (const [i, bound] of required.entries()) {
      const progress = (fraction: number): void => {
        report((i + fraction) / required.length);
      };
      results.push(await measure(bench, urls, bound, progress));
    }
    return results;
  },
};

interface Urls {
  readonly ours: string;
  readonly distribution: string;
  readonly nginx: string;
}

async function start({ programs, folder, logs, signal, scale, load, profile }: Bench): Promise<Urls> {
  const ours = await startOurs(programs, { folder: join(folder, "ours"), profile }, logs, signal);
  const distribution = await startDistribution(programs, join(folder, "distribution"), logs, signal);
  const here = await load.upload(ours.url, repository, scale.largeBytes);
  const there = await load.upload(distribution.url, repository, scale.largeBytes);
  const path = (digest: string): string => `/v2/${repository}/blobs/${digest}`;
  // nginx serves the very file that we serve.
  const root = join(folder, "files");
  const file = join(root, path(here.digest));
  await mkdir(dirname(file), { recursive: true });
  const hex = here.digest.slice("sha256:".length);
  await link(join(folder, "ours/data/blobs/sha256", hex.slice(0, 2), hex), file);
  const nginx = await startNginx(programs, join(folder, "nginx"), root, logs, signal);
  return {
    ours: ours.url + path(here.digest),
    distribution: distribution.url + path(there.digest),
    nginx: nginx.url + path(here.digest),
  };
}

async function measure(
  { scale, load }: Bench,
  urls: Urls,
  { streams, ...bounds }: (typeof required)[number],
  report: (fraction: number) => void,
): Promise<LineResult> {
  const stream = (url: string) => () => load.stream(url, streams);
  const found = await alternate(
    scale.rounds * moreRounds,
    { ours: stream(urls.ours), distribution: stream(urls.distribution), nginx: stream(urls.nginx) },
    report,
  );
  const check = (peer: "distribution" | "nginx"): Check => ({
    what: `× ${peer}`,
    value: ratio(found.ours, found[peer]),
    bound: { kind: "at least", value: bounds[peer] },
  });
  const mebibytes = scale.largeBytes / 1024 ** 2;
  const title = `GET ${mebibytes} MiB blob, ${streams === 1 ? "one stream" : `${streams} streams`}`;
  return {
    name: `large-blob-${streams}`,
    title,
    measures:
      `A client in Go reads the blob ${streams === 1 ? "once" : `${streams} times at once`}, from the page cache of ` +
      "the server's system, and throws it away; MB/s of all streams together.",
    unit: "MB/s",
    figures: {
      ours: figure(found.ours),
      distribution: figure(found.distribution),
      nginx: figure(found.nginx),
    },
    checks: [check("distribution"), check("nginx")],
  };
}
