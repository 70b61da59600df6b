import type { PlannedTag } from "./plan.ts";

/**
 * What a pass brings first: what is missing before what is only looked at again; of that what has not failed yet, and
 * tags that are new before those that have moved. Otherwise as it was: by name.
 */
export function inOrder(
  tags: readonly PlannedTag[],
  failedBefore: (tag: PlannedTag) => boolean,
): readonly PlannedTag[] {
  const rank = (tag: PlannedTag): number => {
    if (tag.here !== undefined) return 3;
    if (failedBefore(tag)) return 2;
    return tag.present === undefined ? 0 : 1;
  };
  return tags
    .map((tag) => ({ tag, rank: rank(tag) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ tag }) => tag);
}
