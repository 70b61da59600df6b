import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../common/clock.ts";
import { messageOf } from "../common/errors.ts";
import { type Bundle, hostPlatform } from "../e2e/components/bundle.ts";
import { Cache } from "../e2e/components/cache.ts";
import { GoSource } from "../e2e/components/go-build.ts";
import { cacheKey } from "../e2e/components/key.ts";
import { cacheFolder } from "../e2e/components/provide.ts";
import { bundles } from "../e2e/components/table.ts";
import { run } from "../e2e/harness/command.ts";
import type { Progress } from "../e2e/terminal/progress.ts";
import { downloadPackages, packageVersions } from "../manifests/image/debian.ts";
import { bundle as bundleProgram } from "../manifests/image/bundle.ts";
import { ResultCache } from "../manifests/image/result-cache.ts";

/** What every benchmark runs: absolute paths, and what to say of the versions. */
export interface OurPrograms {
  /** Our bundled command, as the image has it. */
  readonly ours: string;
  /** The allocator of the image. */
  readonly jemalloc: string;
  readonly versions: readonly string[];
}

/** …and those it is measured with and against. */
export interface Programs extends OurPrograms {
  readonly distribution: string;
  readonly regsync: string;
  readonly nginx: string;
  readonly wrk: string;
  readonly load: string;
  /** Where nginx and wrk find libraries that this machine may not have. */
  readonly libraries: string;
}

const modules = join(import.meta.dirname, "../e2e/components");
const debianPackages = [
  "nginx",
  "wrk",
  "libjemalloc2",
  "libluajit-5.1-2",
  "libpcre2-8-0",
  "libcrypt1",
  "libssl3",
  "zlib1g",
] as const;

const peer = found("distribution");
/** Compiled with the flags that their projects ship them with, unlike what tests run. */
const distribution: Bundle = {
  ...peer,
  name: "optimized-distribution",
  build: { ...peer.build, optimized: true },
};
const regctl = found("regctl");
/** Comes with regctl, as its project ships it. */
const regsync: Bundle = {
  ...regctl,
  name: "regsync",
  programs: ["regsync"],
  build: {
    ...regctl.build,
    packages: ["github.com/regclient/regclient/cmd/regsync"],
    optimized: true,
  },
};
const load: Bundle = {
  name: "load",
  version: "1",
  programs: ["load"],
  build: { packages: ["./load"], optimized: true },
  releases: () => [],
};

function found(name: string): Bundle {
  const bundle = bundles.find((each) => each.name === name);
  if (bundle === undefined) throw new Error(`there is no component ${name}`);
  return bundle;
}

/** Builds, downloads or finds all of them. */
export async function obtainPrograms(
  folder: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<Programs> {
  const debian = await unpacked(progress);
  const [distributionFolder, regsyncFolder, loadFolder] = [
    await built(distribution, progress, signal),
    await built(regsync, progress, signal),
    await built(load, progress, signal),
  ];
  const ours = await bundled(folder, progress);
  return {
    ours,
    distribution: join(distributionFolder, "registry"),
    regsync: join(regsyncFolder, "regsync"),
    load: join(loadFolder, "load"),
    nginx: join(debian.root, "usr/sbin/nginx"),
    wrk: join(debian.root, "usr/bin/wrk"),
    jemalloc: jemallocIn(debian.root),
    libraries: [join(debian.root, "usr/lib", system), join(debian.root, "lib", system)].join(":"),
    versions: [
      `distribution ${distribution.version}`,
      `regsync ${regsync.version}`,
      ...debian.versions.filter(([name]) => name === "nginx" || name === "wrk").map((pair) => pair.join(" ")),
      `Node ${process.versions.node}`,
    ],
  };
}

/** What it takes to run our operator as the image does; the cluster's programs are obtained by who starts it. */
export async function obtainOurs(folder: string, progress: Progress): Promise<OurPrograms> {
  const { root } = await unpacked(progress);
  return {
    ours: await bundled(folder, progress),
    jemalloc: jemallocIn(root),
    versions: [`Kubernetes ${found("kubernetes").version}`, `Node ${process.versions.node}`],
  };
}

const system = `${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu`;

function jemallocIn(root: string): string {
  return join(root, "usr/lib", system, "libjemalloc.so.2");
}

async function bundled(folder: string, progress: Progress): Promise<string> {
  const ours = join(folder, "program");
  await progress.step("Bundle our program as the image has it", () =>
    bundleProgram({ folder: ours, sourcemap: false }),
  );
  return join(ours, "connected-registry.js");
}

function unpacked(progress: Progress): ReturnType<typeof unpackedPackages> {
  return progress.step("Debian packages: nginx, wrk, jemalloc", unpackedPackages);
}

/** Nothing is installed: the packages' files lie in the cache. */
async function unpackedPackages(): Promise<{
  readonly root: string;
  readonly versions: readonly (readonly [string, string])[];
}> {
  const cache = new ResultCache(join(cacheFolder(process.env), "bench"), systemClock);
  const { arch } = hostPlatform();
  try {
    const folder = await cache.get(`debian-${arch}-${debianPackages.join("-")}`, async (into) => {
      await downloadPackages(debianPackages, arch, into);
      for (const file of (await readdir(into)).filter((name) => name.endsWith(".deb"))) {
        await run("dpkg-deb", ["--extract", join(into, file), join(into, "root")]);
      }
    });
    return { root: join(folder, "root"), versions: await packageVersions(folder) };
  } catch (cause) {
    throw new Error(
      `nginx and wrk cannot be had: the benchmark needs a Debian-like machine (${messageOf(cause)})`,
      { cause },
    );
  }
}

async function built(bundle: Bundle, progress: Progress, signal: AbortSignal): Promise<string> {
  const cache = new Cache(cacheFolder(process.env), systemClock);
  const key = await cacheKey(bundle, hostPlatform(), modules);
  const source = new GoSource(modules);
  const obstacle = await source.obstacle();
  if (obstacle !== undefined) throw new Error(`${bundle.name} cannot be built: ${obstacle}`);
  return progress.step(source.title(bundle), (report) =>
    cache.add(
      bundle,
      key,
      (into) => source.obtain(bundle, into, report, signal),
      signal,
      () => {
        report(undefined, "another run is at it");
      },
    ),
  );
}
