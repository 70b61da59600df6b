import { environment, nodeOptions } from "../../manifests/image/image-index.ts";
import type { Programs } from "../programs.ts";

/** How the image runs Node: with its flags, and with its allocator, which here lies elsewhere. */
export function nodeAsInImage({ jemalloc }: Pick<Programs, "jemalloc">): {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const pairs = environment.map((text) => text.split(/=(.*)/su).slice(0, 2) as [string, string]);
  return { flags: nodeOptions, env: { ...Object.fromEntries(pairs), LD_PRELOAD: jemalloc } };
}
