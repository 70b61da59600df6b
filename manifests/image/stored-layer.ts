import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeLayer, type Layer, type LayerEntry } from "./layer.ts";
import type { ResultCache } from "./result-cache.ts";

/** A layer as it lies in the cache. */
export interface StoredLayer extends Layer {
  readonly file: string;
}

/** The layer that `entries` makes, written once for the same `inputs` and the same version of this code. */
export async function storedLayer(
  cache: ResultCache,
  kind: string,
  inputs: readonly unknown[],
  entries: () => Promise<readonly LayerEntry[]>,
): Promise<StoredLayer> {
  const folder = await cache.get(`layer-${kind}-${await keyOf(inputs)}`, async (target) => {
    const layer = await writeLayer(await entries(), join(target, "layer.tar.gz"));
    await writeFile(join(target, "layer.json"), JSON.stringify(layer));
  });
  const layer = JSON.parse(await readFile(join(folder, "layer.json"), "utf8")) as Layer;
  return { ...layer, file: join(folder, "layer.tar.gz") };
}

/** What tells a file of a layer from another, for use as an input. */
export function fingerprint(entry: LayerEntry): string {
  return JSON.stringify(
    entry.kind === "file"
      ? { ...entry, content: createHash("sha256").update(entry.content).digest("hex") }
      : entry,
  );
}

/** Hash of `inputs`, of the code that makes layers of them, and of what decides how they are compressed. */
export async function keyOf(inputs: readonly unknown[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([inputs, process.versions.zlib, process.arch]));
  const sources = (await readdir(import.meta.dirname)).filter((name) => /^[^.]+\.ts$/.test(name)).sort();
  for (const source of sources) hash.update(await readFile(join(import.meta.dirname, source)));
  return hash.digest("hex").slice(0, 32);
}
