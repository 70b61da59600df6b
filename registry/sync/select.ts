import type { RepositoryRule } from "../../common/contract/config.ts";
import { isLiteral, matchesGlob } from "../../common/glob.ts";

/** The referrers of a digest at registries without the referrers API: no tag that anybody pulls by (T17f). */
const referrersTag = /^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})$/;

export function selectsRepository(rule: RepositoryRule, repository: string): boolean {
  return matchesGlob(rule.name, repository);
}

export function selectsTag({ tags: { include, exclude } }: RepositoryRule, tag: string): boolean {
  if (referrersTag.test(tag)) return false;
  return include.some((glob) => matchesGlob(glob, tag)) && !exclude.some((glob) => matchesGlob(glob, tag));
}

/** Whether a sync by `rules` brings the tag, as long as the parent has it. */
export function isSynced(rules: readonly RepositoryRule[], repository: string, tag: string): boolean {
  return rules.some((rule) => selectsRepository(rule, repository) && selectsTag(rule, tag));
}

/** The tags that a rule names one by one, if it names no others: then nothing needs to be listed. */
export function namedTags(rule: RepositoryRule): readonly string[] | undefined {
  const { include } = rule.tags;
  return include.every(isLiteral) ? include.filter((tag) => selectsTag(rule, tag)) : undefined;
}
