import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { parseManifest } from "../../common/oci/manifest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";
import { ContentNotFoundError } from "../content/store.ts";
import type { Turns } from "../content/turns.ts";
import { UnknownPartError } from "../remote/errors.ts";
import { pool } from "../sync/copying/pool.ts";
import { putListed, type PutRoute } from "./referrers-tag.ts";
import { sendBlob, type BlobRoute } from "./send-blob.ts";
import type { ParentWriter } from "./target.ts";

export interface ManifestRoute extends BlobRoute, PutRoute {
  readonly from: ContentRepository;
  readonly to: ParentWriter;
  readonly signal: AbortSignal;
  /** A repository of the parent, other than this one, that may have a blob. */
  readonly holder: (digest: Digest) => Promise<RepositoryName | undefined>;
  /** Keeps two entries from sending one blob at once. */
  readonly turns: Turns;
  /** How many blobs may be on their way at once. */
  readonly width: number;
}

/** What the parent says it has, and has not: `undefined` if all it says is believed. */
type Doubt = ((digest: Digest) => boolean) | undefined;

/** @param moved whether something was sent before, which takes time */
type Put = (manifest: StoredManifest, moved: boolean) => Promise<void>;

/** Deeper than any image. */
const maxDepth = 8;

/**
 * Sends what a manifest names, children before parents, and lets `put` send the manifest. What the parent has is not sent
 * again; if it then says that it lacks something nevertheless, that is, once (T23).
 *
 * @throws {ContentNotFoundError} if it, or a part of it, is not here
 */
export async function sendManifest(digest: Digest, route: ManifestRoute, put: Put): Promise<void> {
  await withParts(await route.from.manifest(digest), route, put, undefined, 0);
}

async function withParts(
  manifest: StoredManifest,
  route: ManifestRoute,
  put: Put,
  doubt: Doubt,
  depth: number,
): Promise<void> {
  if (depth > maxDepth) throw new ContentNotFoundError(manifest.descriptor.digest);
  const complete = doubt === undefined && (await isThere(manifest.descriptor, route));
  if (!complete) await sendParts(manifest, route, doubt, depth);
  try {
    await put(manifest, !complete);
  } catch (error) {
    if (!(error instanceof UnknownPartError) || doubt !== undefined) throw error;
    const named = new Set(error.digests);
    await sendParts(manifest, route, (each) => named.size === 0 || named.has(each), depth);
    await put(manifest, true);
  }
}

async function sendParts(
  { bytes, descriptor }: StoredManifest,
  route: ManifestRoute,
  doubt: Doubt,
  depth: number,
): Promise<void> {
  const { from, width, signal } = route;
  const { manifests, blobs, elsewhere } = parseManifest(bytes, descriptor.mediaType);
  for (const { digest } of manifests.filter(ofManifest)) {
    const child = from.find(digest);
    // One that is not here was left out when its index was pushed, or deleted since: the parent may have it.
    if (child === undefined || (doubt === undefined && (await isThere(child.descriptor, route)))) continue;
    await withParts(child, route, (each) => putListed(digest, each, undefined, route), doubt, depth + 1);
  }
  // What an index names and is no manifest, and what may be somewhere else, goes up if it is here (T18).
  const optional = [...elsewhere, ...manifests.filter((each) => !ofManifest(each))];
  const here = await Promise.all(optional.map(({ digest }) => from.blobSize(digest)));
  const wanted = [...blobs, ...optional.filter((_, i) => here[i] !== undefined)];
  const once = [...new Map(wanted.map((blob) => [blob.digest, blob])).values()];
  await pool(once, width, async (blob) => {
    const end = await route.turns.take(`${from.name} ${blob.digest}`, signal);
    try {
      if (doubt?.(blob.digest) === true) await sendBlob(blob, undefined, route);
      else if (!(await isThere(blob, route))) await sendBlob(blob, await route.holder(blob.digest), route);
      // An upload may have ended there without our hearing of it.
      else await route.uploads.keep(from.name, blob.digest, undefined);
    } finally {
      end();
    }
  });
}

function isThere(target: Descriptor, { there, signal }: ManifestRoute): Promise<boolean> {
  return there.exists(target, signal);
}
