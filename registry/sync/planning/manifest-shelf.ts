import type { Descriptor, Digest } from "../../../common/oci/digest.ts";

/** What one pass may keep: some thousands of manifests. */
const capacity = 8 * 1024 * 1024;

/**
 * Manifests of the parent that were read to judge an image, until it is copied: nothing is asked for twice in a pass.
 * Bounded: what does not fit is read again.
 */
export class ManifestShelf {
  private readonly manifests = new Map<Digest, Buffer>();
  private bytes = 0;

  keep({ digest }: Descriptor, manifest: Buffer): void {
    if (this.manifests.has(digest) || this.bytes + manifest.length > capacity) return;
    this.manifests.set(digest, manifest);
    this.bytes += manifest.length;
  }

  look({ digest }: Descriptor): Buffer | undefined {
    return this.manifests.get(digest);
  }

  /** For who stores it, so that nobody needs it from here again. */
  take(node: Descriptor): Buffer | undefined {
    const manifest = this.look(node);
    if (manifest === undefined) return undefined;
    this.manifests.delete(node.digest);
    this.bytes -= manifest.length;
    return manifest;
  }
}
