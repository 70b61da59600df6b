import type { RepositoryRule } from "../../../common/contract/config.ts";
import type { Census } from "./census.ts";
import { platformFilter, type PlatformFilter } from "./platform.ts";
import { eitherReferrers, referrerFilter, type ReferrerFilter } from "../referrers/referrer-filter.ts";

/** What one rule wants of a tag that it selects. */
export interface Wish {
  readonly platforms: PlatformFilter;
  /** `undefined`: none. */
  readonly referrers: ReferrerFilter | undefined;
  /** In bytes, of what it wants of the image. */
  readonly maxSize: number | undefined;
  /** Of the rule. */
  readonly census: Census;
}

/** What all rules together want of a tag: everything that any of them wants. */
export type Wanted = Pick<Wish, "platforms" | "referrers">;

/** @throws {InvalidPlatformError} */
export function wishOf(rule: RepositoryRule, census: Census): Wish {
  return {
    platforms: platformFilter(rule.platforms),
    referrers: rule.referrers ? referrerFilter(rule.referrerTypes) : undefined,
    maxSize: rule.maxSizeBytes,
    census,
  };
}

/** `undefined` if there is no wish. */
export function together(wishes: readonly Wish[]): Wanted | undefined {
  const [first, ...others] = wishes;
  if (first === undefined) return undefined;
  return others.reduce<Wanted>(
    (all, { platforms, referrers }) => ({
      platforms: either(all.platforms, platforms),
      referrers: eitherReferrers(all.referrers, referrers),
    }),
    { platforms: first.platforms, referrers: first.referrers },
  );
}

function either(a: PlatformFilter, b: PlatformFilter): PlatformFilter {
  if (a.key === b.key || a.key === "") return a;
  if (b.key === "") return b;
  return {
    key: [...new Set([...a.key.split(","), ...b.key.split(",")])].sort().join(","),
    wants: (child) => a.wants(child) || b.wants(child),
  };
}
