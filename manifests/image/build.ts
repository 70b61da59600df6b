import { systemClock } from "../../common/clock.ts";
import { appEntries } from "./app-layer.ts";
import { baseEntries, basePackages } from "./base-layer.ts";
import { packageVersions } from "./debian.ts";
import { readImageIndex, writeImageIndex, type ImageContent, type PlatformContent } from "./image-index.ts";
import { nodeEntries } from "./node-layer.ts";
import { nodeVersion, platforms, type Platform } from "./platforms.ts";
import { ResultCache } from "./result-cache.ts";
import { revisionOf } from "./revision.ts";
import { fingerprint, keyOf, storedLayer } from "./stored-layer.ts";
import { versionOf } from "./version.ts";

export interface BuildOptions {
  /** The checkout. */
  readonly root: string;
  /** Where downloads, layers and layouts are kept between builds. */
  readonly cacheFolder: string;
  readonly platforms: readonly Platform[];
  /** `repository:tag`; `defaultImage` is what the chart pulls. */
  readonly name: string;
  /** Look for newer Debian packages than those of the last build. */
  readonly refresh: boolean;
}

export interface BuiltImage {
  /** An OCI image layout, to be read only: it is part of the cache. */
  readonly layoutPath: string;
  readonly name: string;
  /** Of the image index. */
  readonly digest: string;
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly digest: string;
    /** What a node downloads that has nothing of it yet. */
    readonly compressedBytes: number;
  }[];
}

/**
 * Builds the image of all programs without a container engine. Same sources, Node version and Debian packages: same
 * digest. (A machine with another zlib may compress differently; what the layers hold is the same everywhere.)
 *
 * @param progress is told of each step, in a few words
 */
export async function buildImage(
  options: BuildOptions,
  progress: (step: string) => void,
): Promise<BuiltImage> {
  const cache = new ResultCache(options.cacheFolder, systemClock);
  progress("bundling the program");
  const appFiles = await appEntries(options.root);
  const app = await storedLayer(cache, "app", appFiles.map(fingerprint), () => Promise.resolve(appFiles));
  const parts = await Promise.all(
    options.platforms.map(async (platform): Promise<PlatformContent> => {
      progress(`libraries and certificates for ${platform}`);
      const packages = await basePackages(platform, cache, options.refresh);
      const versions = await packageVersions(packages);
      const base = await storedLayer(cache, "base", [platform, versions], () => baseEntries(packages));
      progress(`Node ${nodeVersion} for ${platform}`);
      const node = await storedLayer(cache, "node", [platforms[platform]], () =>
        nodeEntries(platform, cache),
      );
      return { platform, contents: [["node", nodeVersion], ...versions], layers: [base, node, app] };
    }),
  );
  const image: ImageContent = {
    name: options.name,
    version: await versionOf(options.root),
    revision: await revisionOf(options.root),
    parts,
  };
  const layoutPath = await cache.get(`layout-${await keyOf([image])}`, async (folder) => {
    progress("writing the image");
    await writeImageIndex(folder, image);
  });
  const { digest, manifests } = await readImageIndex(layoutPath);
  return {
    layoutPath,
    name: options.name,
    digest,
    platforms: manifests.map((manifest, position) => ({
      platform: parts[position]?.platform ?? "linux/amd64",
      ...manifest,
    })),
  };
}
