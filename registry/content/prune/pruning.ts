import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";

/** A repository with tags that came from the parent. */
export interface BroughtRepository {
  readonly id: number;
  readonly name: RepositoryName;
}

/** A tag that names what the parent had under it when we last knew, and that nothing keeps from being pruned. */
export interface BroughtTag {
  readonly name: Tag;
  /** The row of its manifest. */
  readonly manifest: number;
  /** Since when it is known to be missing, by the clock of `watched`; absent: it is not. */
  readonly missingSince?: number;
}

/** A tag that was pruned, and can come back without a transfer. */
export interface PrunedTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly reason: string;
  /** By the clock of `watched`. */
  readonly since: number;
}

/** A tag that is to be pruned, and why. */
export interface MissingTag {
  readonly tag: BroughtTag;
  readonly reason: string;
}

/**
 * What pruning knows of the tags here.
 *
 * # Guarantees
 * - Every removal looks again, in its own transaction: a tag that was moved, pushed or locked meanwhile stays.
 * - The image of a pruned tag is kept until `release`.
 */
export interface Pruning {
  /**
   * For how long, in milliseconds, somebody has been watching, ever. It never jumps: time in which nobody could watch
   * counts for a day at most, whatever the clock says (T58).
   */
  watched(): number;

  /** Writes that down now and then while it matters. */
  keepTime(): Promise<void>;

  repositories(): readonly BroughtRepository[];
  /** A page, in order, of those whose names come after `after`. */
  tags(repository: number, after: string): readonly BroughtTag[];
  /** Marks what is missing from now on. */
  mark(repository: number, tags: readonly BroughtTag[]): Promise<void>;
  /** Takes marks back: it is there again. */
  unmark(repository: number, tags: readonly BroughtTag[]): Promise<void>;
  /** Removes tags, those that still are as they were seen. Returns these. */
  prune(repository: number, tags: readonly MissingTag[]): Promise<readonly MissingTag[]>;

  /** The tags that were pruned and can come back, those that were pruned last first. */
  pruned(limit: number): readonly PrunedTag[];
  count(): { readonly missing: number; readonly pruned: number };
  /** Lets go of some images whose tags were pruned before `since`: the next collection of garbage takes them. How many tags. */
  release(since: number): Promise<number>;
  /** Gives a repository back its pruned tags, or one of them, except where there is another of the name by now. */
  restore(repository: RepositoryName, tag?: Tag): Promise<readonly PrunedTag[]>;
}
