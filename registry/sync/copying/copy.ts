import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Descriptor } from "../../../common/oci/digest.ts";
import {
  InvalidManifestError,
  maxManifestBytes,
  parseManifest,
  type Manifest,
} from "../../../common/oci/manifest.ts";
import { isIndex, mayBeManifest, ofManifest } from "../../../common/oci/mediatype.ts";
import type { ContentReader, ContentWriter, PinningWriter } from "../../content/store.ts";
import { Flights, manifestWeight, type Limit } from "./flights.ts";
import type { ManifestShelf } from "../planning/manifest-shelf.ts";
import { NoPlatformError, type PlatformFilter } from "../planning/platform.ts";
import { transfer } from "./transfer.ts";

export interface CopyOptions {
  /** Bounds what is read from `source` at once. */
  readonly limit: Limit;
  readonly platforms: PlatformFilter;
  /** Shared by copies between the same two repositories, so that what they have in common moves once. */
  readonly flights: Flights;
  /** Manifests of `source` that were read before. */
  readonly shelf?: ManifestShelf;
  /** Told what is copied, and what need not be. */
  readonly watch?: CopyWatch;
  readonly signal?: AbortSignal;
}

/** Watches copies as they go on: the bytes of their blobs. */
export interface CopyWatch {
  /** So many bytes are missing, and come now. */
  readonly wanted: (bytes: number) => Coming;
  /** So many bytes are needed, and here already. */
  readonly saved: (bytes: number) => void;
}

/** What is on its way. */
export interface Coming {
  /** So many of the bytes are here after all: an earlier transfer brought them, or another repository has them. */
  readonly found: (bytes: number) => void;
  /** All of them are here. */
  readonly arrived: () => void;
}

/** Deeper than any image; it stops a parent that nests without end (S04). */
export const maxDepth = 8;

/**
 * Copies `root` and everything it points at, children before parents, and of an index only the wanted platforms: its
 * bytes, and so its digest, stay what they are (T03). Content that is there already is not read again, but looked
 * through: an index whose child is missing is completed (T01).
 *
 * # Guarantees
 * - At every moment `target` holds no manifest whose wanted children are missing.
 * - When this rejects, nothing is in transfer any more except what another copy with the same `flights` waits for.
 * # Caveats
 * An image that is not part of an index is copied whatever platform it is for.
 *
 * @returns the manifests of the graph, `root` first
 * @throws {NoPlatformError} and what `source` and `target` throw
 */
export function copyGraph(
  source: ContentReader,
  target: ContentReader & ContentWriter,
  root: Descriptor,
  options: CopyOptions,
): Promise<readonly Descriptor[]> {
  return new GraphCopy(source, target, options).manifest(root, 0);
}

class GraphCopy {
  private readonly source: ContentReader;
  private readonly target: ContentReader & ContentWriter;
  private readonly options: CopyOptions;

  constructor(source: ContentReader, target: ContentReader & ContentWriter, options: CopyOptions) {
    this.source = source;
    this.target = target;
    this.options = options;
  }

  manifest(node: Descriptor, depth: number): Promise<readonly Descriptor[]> {
    // An image manifest is the same whatever platforms are wanted.
    const platforms = isIndex(node.mediaType) ? this.options.platforms.key : "";
    return this.options.flights.once(`${node.digest} ${platforms}`, () => this.copyManifest(node, depth));
  }

  private async copyManifest(node: Descriptor, depth: number): Promise<readonly Descriptor[]> {
    if (depth > maxDepth) throw new InvalidManifestError("indexes are nested too deep");
    const { signal } = this.options;
    const here = await this.target.exists(node, signal);
    const bytes = here ? await buffer(await this.target.fetch(node, signal)) : await this.readManifest(node);
    const manifest = parseManifest(bytes, node.mediaType);
    const { wanted, sparse } = this.choose(manifest);
    const parts = [node, ...wanted, ...manifest.blobs, ...manifest.elsewhere];
    return await whilePinned(this.target, parts, async () => {
      const below = await this.copyParts(manifest, wanted, depth);
      if (!here) {
        signal?.throwIfAborted();
        const content = Readable.from([bytes], { objectMode: false });
        await this.target.push(node, content, { sparse, ...(signal === undefined ? {} : { signal }) });
      }
      return [node, ...below];
    });
  }

  private async copyParts(
    manifest: Manifest,
    wanted: readonly Descriptor[],
    depth: number,
  ): Promise<readonly Descriptor[]> {
    // Small images are complete before large ones have begun; what belongs together stays together.
    const weight = manifest.blobs.reduce((sum, { size }) => sum + size, 0);
    const below = await allSettled([
      ...wanted.map((child) =>
        ofManifest(child) ? this.manifest(child, depth + 1) : this.oddity(child, depth + 1),
      ),
      ...manifest.blobs.map((blob) => this.blob(blob, weight)),
      ...manifest.elsewhere.map((blob) => this.offered(blob, weight)),
    ]);
    return below.flat();
  }

  private choose(manifest: Manifest): { wanted: readonly Descriptor[]; sparse: Descriptor["digest"][] } {
    const { platforms } = this.options;
    const wanted = manifest.manifests.filter(platforms.wants);
    if (wanted.length === 0 && manifest.manifests.length > 0) {
      throw new NoPlatformError(platforms);
    }
    const kept = new Set(wanted.map(({ digest }) => digest));
    const sparse = manifest.manifests.filter(({ digest }) => !kept.has(digest)).map(({ digest }) => digest);
    return { wanted, sparse };
  }

  private async readManifest(node: Descriptor): Promise<Buffer> {
    if (node.size > maxManifestBytes) {
      throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
    }
    const known = this.options.shelf?.take(node);
    if (known !== undefined) return known;
    // Only the transfer holds a slot. Holding one while waiting for children would deadlock.
    const { limit, signal } = this.options;
    return limit(async () => buffer(await this.source.fetch(node, signal)), manifestWeight(node));
  }

  /** An index may name anything: the build cache of BuildKit is one that names layers. Where it is tells what it is. */
  private async oddity(child: Descriptor, depth: number): Promise<readonly Descriptor[]> {
    const { limit, signal } = this.options;
    if (!mayBeManifest(child.mediaType) || (await this.target.exists(child, signal)))
      return this.blob(child, child.size);
    const manifest = { ...child, manifest: true as const };
    const isOne =
      (await this.target.exists(manifest, signal)) ||
      (await limit(() => this.source.exists(manifest, signal)));
    return isOne ? this.manifest(manifest, depth) : this.blob(child, child.size);
  }

  /** A layer that may be somewhere else is taken if the source has it, and its lack stops nothing (T18). */
  private async offered(blob: Descriptor, weight: number): Promise<readonly Descriptor[]> {
    const { limit, signal } = this.options;
    if (await this.target.exists(blob, signal)) return [];
    return (await limit(() => this.source.exists(blob, signal))) ? this.blob(blob, weight) : [];
  }

  private blob(blob: Descriptor, weight: number): Promise<readonly Descriptor[]> {
    const { flights, limit, signal, watch } = this.options;
    // Another image of this pass has it, or brings it.
    if (flights.has(blob.digest)) watch?.saved(blob.size);
    return flights.once(blob.digest, async () => {
      if (await this.target.exists(blob, signal)) watch?.saved(blob.size);
      else {
        const coming = watch?.wanted(blob.size);
        await limit(() => transfer(this.source, this.target, blob, signal, coming?.found), weight);
        coming?.arrived();
      }
      return [];
    });
  }
}

/** What is here already, and what comes, must not be collected before something names it, however long that takes. */
async function whilePinned<T>(
  target: ContentWriter | (ContentWriter & PinningWriter),
  parts: readonly Descriptor[],
  work: () => Promise<T>,
): Promise<T> {
  const unpin = "pin" in target ? target.pin(parts.map(({ digest }) => digest)) : undefined;
  try {
    return await work();
  } finally {
    unpin?.();
  }
}

/** As `Promise.all`, but a rejection waits until all have ended: nothing may run on behind the caller's back. */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
