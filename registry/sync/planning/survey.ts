import { buffer } from "node:stream/consumers";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import { InvalidManifestError, maxManifestBytes, parseManifest } from "../../../common/oci/manifest.ts";
import { ofManifest } from "../../../common/oci/mediatype.ts";
import type { ContentReader } from "../../content/store.ts";
import { maxDepth } from "../copying/copy.ts";
import { manifestWeight, type Limit } from "../copying/flights.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";
import { NoPlatformError, type PlatformFilter } from "./platform.ts";

/** What an image is made of, as far as it is wanted; each part once. */
export interface Survey {
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
}

export interface SurveyOptions {
  readonly limit: Limit;
  readonly shelf: ManifestShelf;
  readonly signal: AbortSignal;
}

/**
 * Reads the manifests of `root`, here where they are here, else at the parent, and nothing else.
 *
 * @throws {NoPlatformError} {@link InvalidManifestError} and what `source` throws
 */
export async function survey(
  source: ContentReader,
  target: ContentReader,
  root: Descriptor,
  platforms: PlatformFilter,
  options: SurveyOptions,
): Promise<Survey> {
  const manifests = new Map<Digest, Descriptor>();
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (node: Descriptor, depth: number): Promise<void> => {
    if (manifests.has(node.digest)) return;
    if (depth > maxDepth) throw new InvalidManifestError("indexes are nested too deep");
    manifests.set(node.digest, node);
    const manifest = parseManifest(await readManifest(source, target, node, options), node.mediaType);
    const wanted = manifest.manifests.filter(platforms.wants);
    if (wanted.length === 0 && manifest.manifests.length > 0) throw new NoPlatformError(platforms);
    for (const blob of [...manifest.blobs, ...wanted.filter((child) => !ofManifest(child))]) {
      blobs.set(blob.digest, blob);
    }
    for (const child of wanted.filter(ofManifest)) await visit(child, depth + 1);
  };
  await visit(root, 0);
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

/** The bytes of a manifest: those that are here, else the parent's, which stay on the shelf. */
export async function readManifest(
  source: ContentReader,
  target: ContentReader,
  node: Descriptor,
  { limit, shelf, signal }: SurveyOptions,
): Promise<Buffer> {
  const known = shelf.look(node);
  if (known !== undefined) return known;
  if (await target.exists(node, signal)) return buffer(await target.fetch(node, signal));
  if (node.size > maxManifestBytes) {
    throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
  }
  const bytes = await limit(async () => buffer(await source.fetch(node, signal)), manifestWeight(node));
  shelf.keep(node, bytes);
  return bytes;
}
