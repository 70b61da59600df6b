import type { PlannedTag } from "../planning/sync-plan.ts";

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

/**
 * Groups tags of one image, which is brought once: who waits for it with each of them has nothing to do meanwhile. The
 * groups are in the order of their first tags.
 */
export function byImage(
  tags: readonly PlannedTag[],
): readonly (readonly [first: PlannedTag, ...others: PlannedTag[]])[] {
  const groups = new Map<string, [PlannedTag, ...PlannedTag[]]>();
  for (const tag of tags) {
    const key = `${tag.repository}@${tag.root.digest}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [tag]);
    else known.push(tag);
  }
  return [...groups.values()];
}
