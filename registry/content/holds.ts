import type { Digest } from "../../common/oci/digest.ts";

/** Says which blobs must stay though nothing refers to them yet. Asked at the very moment of a removal. */
export interface Pins {
  pinned(digest: Digest): boolean;
}

/**
 * Keeps apart who relies on a blob that nothing refers to yet, and who removes one. Any number may rely on the same
 * blob; a removal is alone with it.
 */
export class Holds implements Pins {
  private readonly holders = new Map<Digest, number>();
  private readonly leaving = new Map<Digest, Promise<void>>();

  pinned(digest: Digest): boolean {
    return this.holders.has(digest);
  }

  /**
   * Keeps `digests` from being removed until the function that it returns is called, wherever they are stored and
   * linked. What is just being removed is not saved: `hold` waits for that.
   */
  pin(digests: readonly Digest[]): () => void {
    for (const digest of digests) this.holders.set(digest, (this.holders.get(digest) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) for (const digest of digests) this.release(digest);
      held = false;
    };
  }

  /** As `pin`, once a removal that is under way is over: from then on it is certain whether the blob is here. */
  async hold(digest: Digest): Promise<() => void> {
    for (let ends = this.leaving.get(digest); ends !== undefined; ends = this.leaving.get(digest)) await ends;
    return this.pin([digest]);
  }

  /**
   * Does `work` with those of `digests` that nobody holds, while everyone who wants to hold one waits. A pin may still
   * come in between: `work` asks `pinned` at the moment of each removal.
   */
  async whileFree<T>(digests: readonly Digest[], work: (free: readonly Digest[]) => Promise<T>): Promise<T> {
    const free = digests.filter((digest) => !this.pinned(digest) && !this.leaving.has(digest));
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const ends = promise.then(() => undefined);
    for (const digest of free) this.leaving.set(digest, ends);
    try {
      return await work(free);
    } finally {
      for (const digest of free) this.leaving.delete(digest);
      resolve(undefined);
    }
  }

  private release(digest: Digest): void {
    const holders = (this.holders.get(digest) ?? 1) - 1;
    if (holders === 0) this.holders.delete(digest);
    else this.holders.set(digest, holders);
  }
}
