import { buffer } from "node:stream/consumers";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import { parseManifest } from "../../../common/oci/manifest.ts";
import { mayBeManifest, ofManifest } from "../../../common/oci/mediatype.ts";
import type { ContentReader } from "../../content/store.ts";
import type { PlatformFilter } from "./platform.ts";

/**
 * The manifests of the graph below `root`, if all of it (of the wanted platforms) is in `target`; otherwise
 * `undefined` (T01). Reads `target` only.
 *
 * @param known what was found present before, in the same repository and pass: not looked for again
 */
export async function completeGraph(
  target: ContentReader,
  root: Descriptor,
  platforms: PlatformFilter,
  known: Set<Digest>,
): Promise<readonly Descriptor[] | undefined> {
  if (!(await isHere(target, root, known))) return undefined;
  const manifest = parseManifest(await buffer(await target.fetch(root)), root.mediaType);
  const children = manifest.manifests.filter(platforms.wants);
  if (children.length === 0 && manifest.manifests.length > 0) return undefined;
  for (const blob of manifest.blobs) if (!(await isHere(target, blob, known))) return undefined;
  const manifests = [root];
  for (const child of children) {
    const odd = !ofManifest(child);
    if (odd && (await isHere(target, child, known))) continue;
    if (odd && !mayBeManifest(child.mediaType)) return undefined;
    const below = await completeGraph(target, odd ? { ...child, manifest: true } : child, platforms, known);
    if (below === undefined) return undefined;
    manifests.push(...below);
  }
  return manifests;
}

async function isHere(target: ContentReader, wanted: Descriptor, known: Set<Digest>): Promise<boolean> {
  if (known.has(wanted.digest)) return true;
  if (!(await target.exists(wanted))) return false;
  known.add(wanted.digest);
  return true;
}
