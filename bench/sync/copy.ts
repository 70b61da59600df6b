import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bench, Line } from "../bench.ts";
import { Regsync } from "../clients/regsync.ts";
import { figure, ratio } from "../figure.ts";
import type { LineResult } from "../line.ts";
import { alternate } from "../rounds.ts";
import { startDistribution } from "../servers/peers.ts";
import { memoryOf } from "../servers/server.ts";
import { memoryBound, syncedImages } from "./images.ts";
import { OurSync } from "./ours.ts";
import { FarParent } from "./parent.ts";

/** What one pass over everything cost. */
interface Cost {
  readonly milliseconds: number;
  readonly requests: number;
  readonly blobs: number;
  /** That the parent sent. */
  readonly bytes: number;
}

interface Measured {
  readonly copy: Cost;
  /** Once more, when nothing has changed. */
  readonly pass: Cost;
  readonly peak: number;
}

export const copyLine: Line = {
  name: "copy",
  title: "Initial copy, and a pass over what is unchanged",
  async run(bench, report) {
    const images = syncedImages(bench.scale);
    report(undefined, "filling the parent");
    return await FarParent.with(bench, images, async (parent) => {
      const found = await alternate(
        bench.scale.copies,
        { ours: () => ours(bench, parent), regsync: () => regsync(bench, parent) },
        report,
      );
      const tags = parent.tagPaths.length;
      return [
        copied(found, `Initial copy of ${images.count} images under ${tags} tags`, parent.bytes),
        unchanged(found, `Pass over ${tags} unchanged tags`),
        memory(found.ours),
      ];
    });
  },
};

type Found = Readonly<Record<"ours" | "regsync", readonly Measured[]>>;

async function ours(bench: Bench, parent: FarParent): Promise<Measured> {
  const folder = join(bench.folder, "ours");
  const registry = await OurSync.create(bench, parent.host, folder);
  try {
    const copy = await costOf(parent, async () => {
      await registry.start();
      return await registry.firstSync();
    });
    const pass = await costOf(parent, () => registry.pass());
    return { copy, pass, peak: (await memoryOf(registry)).peak };
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true });
  }
}

async function regsync({ programs, folder, logs, signal }: Bench, parent: FarParent): Promise<Measured> {
  const own = join(folder, "regsync");
  await mkdir(own);
  const target = await startDistribution(programs, join(own, "target"), logs, signal);
  try {
    const { host } = new URL(target.url);
    const tool = await Regsync.create(programs.regsync, parent.host, host, parent.repositories, own);
    const copy = await costOf(parent, () => tool.once());
    const pass = await costOf(parent, () => tool.once());
    return { copy, pass, peak: (await memoryOf(target)).peak };
  } finally {
    await target.stop();
    await rm(own, { recursive: true });
  }
}

async function costOf(parent: FarParent, work: () => Promise<number>): Promise<Cost> {
  await parent.site.open();
  const before = await parent.asked();
  const start = await parent.site.sent();
  const milliseconds = await work();
  const bytes = (await parent.site.sent()) - start;
  const after = await parent.asked();
  return { milliseconds, bytes, requests: after.all - before.all, blobs: after.blobs - before.blobs };
}

function copied({ ours: own, regsync: other }: Found, title: string, unique: number): LineResult {
  const of = (all: readonly Measured[], read: (cost: Cost) => number): readonly number[] =>
    all.map(({ copy }) => read(copy));
  const requests = ({ requests: count }: Cost): number => count;
  const seconds = ({ milliseconds }: Cost): number => milliseconds / 1000;
  const bytes = (all: readonly Measured[]): readonly number[] => of(all, (cost) => cost.bytes / unique);
  return {
    name: "initial-copy",
    title,
    measures:
      "4 layers of 1 MiB each, in ten repositories of a distribution, into our registry and by regsync into another " +
      "distribution. Seconds from the start of our process, or of regsync, until everything is there. Requests are those " +
      "that the parent counts, bytes those that leave its network interface.",
    unit: "s",
    figures: { ours: figure(of(own, seconds)), regsync: figure(of(other, seconds)) },
    checks: [
      {
        what: "× the time of regsync",
        value: ratio(of(own, seconds), of(other, seconds)),
        bound: { kind: "at most", value: 0.5 },
      },
      {
        what: "× the requests of regsync",
        value: ratio(of(own, requests), of(other, requests)),
        bound: { kind: "at most", value: 0.4 },
      },
      {
        what: "× the unique bytes on the wire",
        value: figure(bytes(own)),
        bound: { kind: "at most", value: 1.02 },
      },
      { what: "× the unique bytes on the wire, regsync", value: figure(bytes(other)) },
      { what: "requests", value: figure(of(own, requests)) },
      { what: "requests of regsync", value: figure(of(other, requests)) },
    ],
  };
}

function unchanged({ ours: own, regsync: other }: Found, title: string): LineResult {
  const of = (all: readonly Measured[], read: (cost: Cost) => number): readonly number[] =>
    all.map(({ pass }) => read(pass));
  const seconds = ({ milliseconds }: Cost): number => milliseconds / 1000;
  return {
    name: "unchanged",
    title,
    measures:
      "The same again, when everything is there. Seconds of the pass of our registry, which runs, and of the whole process " +
      "of regsync.",
    unit: "s",
    figures: { ours: figure(of(own, seconds)), regsync: figure(of(other, seconds)) },
    checks: [
      {
        what: "× the time of regsync",
        value: ratio(of(own, seconds), of(other, seconds)),
        bound: { kind: "at most", value: 1 },
      },
      {
        what: "requests for blobs",
        value: figure(of(own, ({ blobs }) => blobs)),
        bound: { kind: "at most", value: 0 },
      },
      { what: "requests", value: figure(of(own, ({ requests }) => requests)) },
      { what: "requests of regsync", value: figure(of(other, ({ requests }) => requests)) },
      { what: "bytes on the wire", value: figure(of(own, ({ bytes }) => bytes)) },
    ],
  };
}

function memory(own: readonly Measured[]): LineResult {
  const value = figure(own.map(({ peak }) => peak));
  return {
    name: "copy-memory",
    title: "Resident memory of our registry during both",
    measures: "The highest VmRSS (VmHWM).",
    unit: "MiB",
    figures: { ours: value },
    checks: [{ what: "MiB", value, bound: { kind: "at most", value: memoryBound } }],
  };
}
