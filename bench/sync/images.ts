import type { Scale } from "../bench.ts";
import type { PushOptions } from "../clients/load.ts";

/** In MiB: what a registry that syncs may take. */
export const memoryBound = 200;

/** Images of four layers of 1 MiB, each under ten tags, spread over ten repositories. */
export function syncedImages({ syncedImages: count }: Scale): PushOptions {
  return { repository: "synced", count, layers: 4, layerBytes: 1024 ** 2, clients: 8, tags: 10 };
}
