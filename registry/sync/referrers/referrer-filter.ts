import { matchesGlob } from "../../../common/glob.ts";

/** Which of the things that refer to an image come with it. */
export interface ReferrerFilter {
  /** Equal for filters that want the same. */
  readonly key: string;
  /** Whether the types of something need not be known. */
  readonly everything: boolean;
  /** @param types what something says it is: its artifact type, or the media types of its layers */
  readonly wants: (types: readonly string[]) => boolean;
}

export const everyReferrer: ReferrerFilter = { key: "", everything: true, wants: () => true };

/** Wants what has a type that one of `globs` matches; none: everything. */
export function referrerFilter(globs: readonly string[]): ReferrerFilter {
  if (globs.length === 0) return everyReferrer;
  return {
    key: [...new Set(globs)].sort().join(","),
    everything: false,
    wants: (types) => types.some((type) => globs.some((glob) => matchesGlob(glob, type))),
  };
}

/** Wants what any of the two wants; `undefined` wants nothing. */
export function eitherReferrers(
  a: ReferrerFilter | undefined,
  b: ReferrerFilter | undefined,
): ReferrerFilter | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.everything || a.key === b.key) return a;
  if (b.everything) return b;
  return referrerFilter([...a.key.split(","), ...b.key.split(",")]);
}
