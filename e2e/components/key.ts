import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle, Platform } from "./bundle.ts";
import { moduleOf } from "./go-build.ts";
import { buildFlags } from "./go-flags.ts";

/**
 * Names what is in the cache: whoever changes a version, a flag, a pinned dependency or a line of our own Go gets
 * another key, so that an entry never has to be checked again.
 *
 * @param modules the folder that holds our Go modules
 */
export async function cacheKey(bundle: Bundle, platform: Platform, modules: string): Promise<string> {
  const module = moduleOf(bundle, modules);
  const sources = bundle.build.packages.filter((path) => path.startsWith("./"));
  const files = [
    "go.mod",
    "go.sum",
    ...(await Promise.all(sources.map((path) => goFiles(module, path)))).flat(),
  ];
  const contents = await Promise.all(files.map((file) => readFile(join(module, file), "utf8")));
  const settings = [
    bundle.programs,
    bundle.build.packages,
    buildFlags(bundle.build),
    platform,
    files,
    contents,
  ];
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 16);
}

async function goFiles(module: string, folder: string): Promise<readonly string[]> {
  const names = (await readdir(join(module, folder))).filter((name) => name.endsWith(".go"));
  return names.sort().map((name) => join(folder, name));
}
