import type { Digest } from "../../../common/oci/digest.ts";

/** If more content cannot be read at once, a whole disk is gone, and a scrub finds it all. */
const most = 1_000;

/** Blobs of which readers found less than there should be, or what the disk could not read. */
export class Suspects {
  private readonly digests = new Set<Digest>();
  private listener: () => void = () => undefined;

  /** Cheap, and no harm if it turns out to be wrong. */
  readonly report = (digest: Digest): void => {
    if (this.digests.size >= most) return;
    this.digests.add(digest);
    this.listener();
  };

  /** Any of them, which is none from now on; `undefined` if there is none. */
  take(): Digest | undefined {
    const [digest] = this.digests;
    if (digest !== undefined) this.digests.delete(digest);
    return digest;
  }

  /** Calls `listener`, instead of an earlier one, when there is one; at once if there is. */
  whenAny(listener: () => void): void {
    this.listener = listener;
    if (this.digests.size > 0) listener();
  }
}
