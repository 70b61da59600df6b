import { messageOf } from "../../../common/errors.ts";
import { algorithmOf, digestOf } from "../../../common/oci/digest.ts";
import { parseManifest, type Manifest } from "../../../common/oci/manifest.ts";
import type { BlobGarbage, GarbageRepository, ManifestBytes } from "./garbage.ts";
import type { Pace } from "./pace.ts";

/**
 * Reads every manifest of a repository from its bytes, and checks these.
 *
 * @throws if one cannot be read: then nobody knows what it needs, and nothing of the repository may be removed (T62)
 */
export async function scanManifests(
  blobs: BlobGarbage,
  repository: GarbageRepository,
  pace: Pace,
  visit: (manifest: Manifest) => void,
): Promise<void> {
  for (let after = 0; ;) {
    await pace.breathe();
    const page = blobs.manifests(repository.id, after);
    for (const each of page) {
      await pace.breathe();
      const manifest = readManifest(each);
      if (manifest !== undefined) visit(manifest);
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
}

/** `undefined` if it has gone meanwhile. */
function readManifest({ digest, mediaType, read }: ManifestBytes): Manifest | undefined {
  try {
    const bytes = read();
    if (bytes === undefined) return undefined;
    if (digestOf(bytes, algorithmOf(digest)) !== digest) throw new Error("its bytes do not have its digest");
    return parseManifest(bytes, mediaType);
  } catch (cause) {
    throw new Error(
      `manifest ${digest} cannot be read (${messageOf(cause)}): nothing of the repository is removed; ` +
        "push or sync it again, or delete it",
      { cause },
    );
  }
}
