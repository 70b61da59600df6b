import { join } from "node:path";
import type { Bench, Line, Scale } from "../bench.ts";
import { figure, ratio } from "../figure.ts";
import type { LineResult } from "../line.ts";
import { alternate } from "../rounds.ts";
import { ourRegistry, type OurRegistry } from "../servers/ours.ts";
import { startDistribution } from "../servers/peers.ts";
import { startServer, timeToReady } from "../servers/server.ts";
import { writeDistributionLayout } from "./distribution-layout.ts";

const pageSize = 1000;
/** Requests for one page in a row, of which the median counts. */
const repeats = { ours: 20, distribution: 2 } as const;
/** How much longer the slowest of first, middle and last page may take than the fastest: flat, but for noise. */
const flat = 1.5;

/** The last name before the first, the middle and the last page of a listing. */
interface Listing {
  readonly name: string;
  readonly title: string;
  readonly paths: readonly [first: string, middle: string, last: string];
}

export const largeStoreLine: Line = {
  name: "large-store",
  title: "Pages of tags and of the catalog, and the start, with many of them",
  async run(bench, report) {
    const { programs, folder, logs, signal, scale, load, profile } = bench;
    const ours = await ourRegistry(programs, { folder: join(folder, "ours"), profile });
    const server = await startServer(ours.program, ours.url, ours.probe, logs, signal);
    report(undefined, "filling our registry");
    await load.seed(ours.url, scale);
    report(undefined, "filling distribution");
    const names = repositoriesOf(scale);
    writeDistributionLayout(join(folder, "distribution/data"), names, tagsOf(scale));
    const distribution = await startDistribution(programs, join(folder, "distribution"), logs, signal);
    const results: LineResult[] = [];
    for (const [i, listing] of listingsOf(scale).entries()) {
      results.push(
        await measure(bench, listing, ours.url, distribution.url, (fraction) => {
          report((i + fraction) / 2, listing.name);
        }),
      );
    }
    await server.stop();
    report(undefined, "starts");
    return [...results, await measureStart(bench, ours)];
  },
};

async function measureStart({ scale, logs }: Bench, { program, probe }: OurRegistry): Promise<LineResult> {
  const times: number[] = [];
  for (let round = 0; round < scale.rounds; round++)
    times.push((await timeToReady(program, probe, logs)) / 1000);
  const value = figure(times);
  return {
    name: "start",
    title: `Ready with ${thousands(scale.repositories)} repositories, ${thousands(scale.manifests)} manifests`,
    measures: "Seconds from the start of the process until /readyz answers 200.",
    unit: "s",
    figures: { ours: value },
    checks: [{ what: "seconds", value, bound: { kind: "at most", value: 1 } }],
  };
}

async function measure(
  { scale, load }: Bench,
  { name, title, paths }: Listing,
  ours: string,
  distribution: string,
  report: (fraction: number) => void,
): Promise<LineResult> {
  const time = (url: string, path: string, times: number) => async () =>
    figure(await load.times(url, Array<string>(times).fill(path))).median;
  const [first, middle, last] = paths;
  const found = await alternate(
    scale.rounds,
    {
      first: time(ours, first, repeats.ours),
      middle: time(ours, middle, repeats.ours),
      last: time(ours, last, repeats.ours),
      distribution: time(distribution, middle, repeats.distribution),
    },
    report,
  );
  const each = [found.first, found.middle, found.last];
  const slowest = found.first.map((_, round) => Math.max(...each.map((times) => times[round] ?? 0)));
  const fastest = found.first.map((_, round) => Math.min(...each.map((times) => times[round] ?? 0)));
  return {
    name,
    title,
    measures:
      `Milliseconds for the page of ${pageSize} in the middle, asked for one at a time over one connection. Our registry ` +
      "was filled by pushing, distribution by writing the files that its listings read.",
    unit: "ms",
    figures: { ours: figure(found.middle), distribution: figure(found.distribution) },
    checks: [
      {
        what: "× as fast as distribution",
        value: ratio(found.distribution, found.middle),
        bound: { kind: "at least", value: 10 },
      },
      {
        what: "slowest × fastest of first, middle and last page",
        value: ratio(slowest, fastest),
        bound: { kind: "at most", value: flat },
      },
    ],
  };
}

function listingsOf(scale: Scale): readonly Listing[] {
  const paths = (path: string, names: readonly string[]): Listing["paths"] => {
    const after = (index: number): string =>
      `${path}?n=${pageSize}&last=${encodeURIComponent(names[index - 1] ?? "")}`;
    return [`${path}?n=${pageSize}`, after(names.length / 2), after(names.length - pageSize)];
  };
  return [
    {
      name: "tags-page",
      title: `Page of ${thousands(scale.tags)} tags`,
      paths: paths("/v2/tags/tags/list", tagsOf(scale)),
    },
    {
      name: "catalog-page",
      title: `Page of ${thousands(scale.repositories)} repositories`,
      paths: paths("/v2/_catalog", repositoriesOf(scale)),
    },
  ];
}

/** As the client names them (e2e/components/go/load/seed.go), in order. */
function repositoriesOf({ repositories }: Scale): readonly string[] {
  return Array.from(
    { length: repositories },
    (_, i) => `team-${i % 10}/app-${String(i).padStart(5, "0")}`,
  ).sort();
}

function tagsOf({ tags }: Scale): readonly string[] {
  return Array.from({ length: tags }, (_, i) => `v${String(i).padStart(6, "0")}`);
}

function thousands(count: number): string {
  return count.toLocaleString("en-US");
}
