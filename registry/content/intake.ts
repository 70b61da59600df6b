import type { Readable } from "node:stream";
import { algorithmOf, DigestMismatchError, type Descriptor, type Digest } from "../../common/oci/digest.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Blobs, StagedBlob } from "./blobs.ts";
import type { Holds } from "./holds.ts";
import { takeOver } from "./incoming.ts";
import type { Metadata } from "./metadata.ts";
import { isStorageFull, type Account, type Quota } from "./quota.ts";

/** Names bytes that only their own push can use: worthless once it is over. */
export const pushPrefix = "push-";

/** How much may come, and what is said of more. */
export interface SizeLimit {
  readonly bytes: number;
  readonly refusal: (bytes: number) => Error;
}

/** How blobs get in, by whichever way: counted, checked, published, and then linked to a repository. */
export class Intake {
  private readonly blobs: Blobs;
  private readonly metadata: Metadata;
  private readonly quota: Quota;
  private readonly holds: Holds;
  private readonly newId: () => string;

  constructor(blobs: Blobs, metadata: Metadata, quota: Quota, holds: Holds, newId: () => string) {
    this.blobs = blobs;
    this.metadata = metadata;
    this.quota = quota;
    this.holds = holds;
    this.newId = newId;
  }

  /** Takes a whole blob, or nothing. */
  async push(repository: RepositoryName, expected: Descriptor, content: Readable): Promise<void> {
    const staged = await this.blobs.stage(`${pushPrefix}${this.newId()}`, algorithmOf(expected.digest));
    const account = this.open(repository, staged);
    try {
      await this.append(staged, content, exactly(expected.size), account);
      if (staged.offset !== expected.size) {
        throw new DigestMismatchError(`${expected.size} bytes`, `${staged.offset}`);
      }
    } catch (error) {
      await this.discard(staged, account);
      throw error;
    }
    await this.accept(repository, staged, expected.digest, account);
  }

  /** Counts what is staged, and what will be, as what `repository` gets. */
  open(repository: RepositoryName, staged: StagedBlob): Account {
    return this.quota.open(repository, staged.offset);
  }

  /** Adds `content` to `staged`, up to the limit. @param grown called whenever more of it is there */
  async append(
    staged: StagedBlob,
    content: Readable,
    limit: SizeLimit,
    account: Account,
    signal?: AbortSignal,
    grown: () => void = () => undefined,
  ): Promise<void> {
    takeOver(content, signal);
    const before = staged.offset;
    let taken = 0;
    async function* measured(): AsyncIterable<Uint8Array> {
      for await (const chunk of content) {
        const bytes = chunk as Uint8Array;
        if (before + taken + bytes.length > limit.bytes) throw limit.refusal(limit.bytes);
        account.take(bytes.length);
        taken += bytes.length;
        yield bytes;
        // Whoever asks for more has written what came before.
        grown();
      }
    }
    try {
      await staged.append(measured());
    } finally {
      account.give(taken - (staged.offset - before));
      content.destroy();
    }
  }

  /**
   * Gives what is staged to `repository`, as `digest`. `staged` is used up, whatever happens.
   *
   * @throws {DigestMismatchError}
   */
  async accept(
    repository: RepositoryName,
    staged: StagedBlob,
    digest: Digest,
    account: Account,
  ): Promise<void> {
    const size = staged.offset;
    // From the look at what is here until the link that keeps it, nobody may take the file away.
    const release = await this.holds.hold(digest);
    let isFull = false;
    try {
      await this.place(repository, staged, digest);
    } catch (error) {
      isFull = isStorageFull(error);
      throw error;
    } finally {
      release();
      account.give(size);
      if (isFull) await this.removeOrphan(digest);
    }
  }

  /** Throws away what is staged, and came by `account`. */
  async discard(staged: StagedBlob, account: Account): Promise<void> {
    account.give(staged.offset);
    await staged.discard();
  }

  /** Throws away what is staged, and what no writer answers for. */
  async drain(staged: StagedBlob): Promise<void> {
    this.quota.forget(staged.offset);
    await staged.discard();
  }

  /** Whether a row knows the blob, and its file is there. */
  async has({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    return (await this.metadata.knownSize(digest)) === size && (await this.blobs.size(digest)) === size;
  }

  /**
   * Removes a file that came in and that no row names, since there was no room for the row: the room is wanted. What stays
   * nevertheless, or after any other failure, is garbage, which is collected.
   */
  private async removeOrphan(digest: Digest): Promise<void> {
    await this.holds.whileFree([digest], async ([free]) => {
      if (free === undefined || (await this.metadata.knownSize(digest)) !== undefined) return;
      if (!this.holds.pinned(digest)) await this.blobs.remove(digest).catch(() => undefined);
    });
  }

  private async place(repository: RepositoryName, staged: StagedBlob, digest: Digest): Promise<void> {
    const size = staged.offset;
    try {
      const actual = await staged.digest(algorithmOf(digest));
      if (actual !== digest) throw new DigestMismatchError(digest, actual);
      // A file that no row knows may not have been made durable before a crash: only a known one is used as it is, and
      // only if no scrub finds it damaged before it is linked.
      if ((await this.has({ digest, size })) && (await this.metadata.mountBlob(repository, digest))) {
        await staged.discard();
        return;
      }
      await staged.publish(digest);
    } catch (error) {
      await staged.discard();
      throw error;
    }
    await this.metadata.linkBlob(repository, digest, size);
  }
}

/** Refuses all that comes after so many bytes. */
export function exactly(bytes: number): SizeLimit {
  return { bytes, refusal: () => new DigestMismatchError(`${bytes} bytes`, "more") };
}
