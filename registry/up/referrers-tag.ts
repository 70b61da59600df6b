import { buffer } from "node:stream/consumers";
import { attachedPrefix } from "../../common/oci/attached-tag.ts";
import { digestOf, type Descriptor, type Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError, parseManifest, type Manifest } from "../../common/oci/manifest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { parseTag, type Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import { TagNotFoundError, type SyncSource } from "../content/store.ts";
import { ChangedMeanwhileError } from "../remote/errors.ts";
import type { ParentWriter } from "./target.ts";

export interface PutRoute {
  readonly to: ParentWriter;
  /** What the parent has. */
  readonly there: SyncSource;
  readonly signal: AbortSignal;
}

/** How often somebody else may be faster. */
const maxRaces = 5;

/**
 * As `ParentWriter.putManifest`. Where the parent does not list what refers to an image itself, the manifest is put on the
 * list under the referrers tag, as a client has to (OCI distribution specification 1.1, "Pushing Manifests with Subject").
 */
export async function putListed(
  reference: Tag | Digest,
  manifest: StoredManifest,
  was: Digest | undefined,
  route: PutRoute,
): Promise<void> {
  const listed = await route.to.putManifest(reference, manifest, was, route.signal);
  const parsed = parseManifest(manifest.bytes, manifest.descriptor.mediaType);
  if (listed || parsed.subject === undefined) return;
  const entry = entryOf(manifest.descriptor, parsed);
  await changeList(parsed.subject, route, (list) =>
    list.some(({ digest }) => digest === entry.digest) ? list : [...list, entry],
  );
}

/** Takes a manifest that was deleted from the list under the referrers tag of `subject`, if there is one. */
export async function removeListed(subject: Digest, digest: Digest, route: PutRoute): Promise<void> {
  await changeList(subject, route, (list) => {
    const left = list.filter((each) => each.digest !== digest);
    return left.length === list.length ? list : left;
  });
}

/** @param change what it returns unchanged is not written */
async function changeList(
  subject: Digest,
  { to, there, signal }: PutRoute,
  change: (list: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  const tag = parseTag(attachedPrefix(subject));
  for (let races = 1; ; races++) {
    const current = await listUnder(tag, there, signal);
    const before = current?.manifests ?? [];
    const manifests = change(before);
    if (manifests === before) return;
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
    );
    const descriptor = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
    try {
      await to.putManifest(tag, { bytes, descriptor }, current?.digest, signal);
      return;
    } catch (error) {
      if (!(error instanceof ChangedMeanwhileError) || races >= maxRaces) throw error;
    }
  }
}

/** The list as it is, with all that it says of each entry. @throws {InvalidManifestError} if it is none */
async function listUnder(
  tag: Tag,
  there: SyncSource,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly manifests: readonly Descriptor[] } | undefined> {
  try {
    const found = await there.resolve(tag, signal);
    const bytes = await buffer(await there.fetch(found, signal));
    if (found.mediaType !== mediaTypes.ociIndex) {
      throw new InvalidManifestError(`the parent's tag ${tag} is no list of referrers`);
    }
    // Read once more as it is: what others wrote into it stays.
    parseManifest(bytes, found.mediaType);
    const { manifests } = JSON.parse(bytes.toString("utf8")) as { readonly manifests: readonly Descriptor[] };
    return { digest: found.digest, manifests };
  } catch (error) {
    if (error instanceof TagNotFoundError) return undefined;
    throw error;
  }
}

function entryOf(
  { mediaType, digest, size }: Descriptor,
  { artifactType, annotations }: Manifest,
): Descriptor {
  return {
    ...{ mediaType, digest, size },
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}
