import type { DateTime } from "luxon";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { AttachedTags } from "../referrers/attached-tags.ts";
import type { IdleRule } from "./census.ts";
import type { Wanted } from "./wish.ts";

/** One tag that the rules select, as the parent has it now. */
export interface PlannedTag extends Wanted {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
  /** The tags of the repository by which things are attached to images. */
  readonly attached: AttachedTags;
  /** What the tag is here already, whether or not all of that is here. */
  readonly present: Digest | undefined;
  /** The manifests of the image, if all of it is here under this tag already. */
  readonly here: readonly Descriptor[] | undefined;
}

/** Something that could not be planned; everything else was. */
export interface PlanFailure {
  readonly repository: string;
  readonly tag?: string;
  readonly error: unknown;
  /** Until when it rests. Absent: it is tried again in the next pass. */
  readonly retryTime?: DateTime;
}

/** A tag that rules select by its name, and leave out for what is under it. */
export interface BigTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
}

/** Sorted by repository and tag. */
export interface SyncPlan {
  readonly tags: readonly PlannedTag[];
  readonly failures: readonly PlanFailure[];
  /** Bigger than all rules allow that select it. What is here of it stays as it is. */
  readonly tooBig: readonly BigTag[];
  /** How many repositories the rules select. */
  readonly repositories: number;
  /** The rules that select nothing of what the parent has. */
  readonly idle: readonly IdleRule[];
}
