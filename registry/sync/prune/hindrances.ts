import type { RepositoryName } from "../../../common/oci/reference.ts";
import { few } from "../../../common/few.ts";

/** Why tags of a repository that are missing stay. */
export type PruneHindrance =
  | { readonly kind: "many"; readonly repository: RepositoryName }
  | { readonly kind: "odd"; readonly repository: RepositoryName; readonly because: string };

/** What a person should know of what stays; the same as long as the hindrances are. `undefined` if there are none. */
export function heldBack(hindrances: readonly PruneHindrance[], maxPercent: number): string | undefined {
  const many = hindrances.filter(({ kind }) => kind === "many").map(({ repository }) => repository);
  const odd = hindrances.flatMap((each) =>
    each.kind === "odd" ? [`${each.repository} (${each.because})`] : [],
  );
  const sentences = [
    ...(many.length === 0
      ? []
      : [
          `More than ${maxPercent} % of the tags are missing at once, so nothing is pruned of ${few([...many].sort())}. If that is right, raise prune.maxPercent for a while.`,
        ]),
    ...(odd.length === 0
      ? []
      : [
          `Nothing is pruned of ${few([...odd].sort())}. To have it pruned, take it out of the repositories that are synced.`,
        ]),
  ];
  return sentences.length === 0 ? undefined : sentences.join(" ");
}
