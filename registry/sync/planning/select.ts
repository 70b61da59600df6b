import type { RepositoryRule, TagSelection } from "../../../common/contract/config.ts";
import { isLiteral, matchesGlob } from "../../../common/glob.ts";
import type { TagCriteria } from "../../../common/selection/criteria.ts";
import { InvalidSelectionError } from "../../../common/selection/faults.ts";
import type { LeftOut } from "../../../common/selection/left-out.ts";

/**
 * The referrers of a digest at registries without the referrers API, and (with a suffix) what cosign attaches to it: no
 * tags of images (T17f).
 */
const attachedTag = /^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(\..*)?$/;

/** What becomes of each of some tags. */
export interface TagChoice<T extends string = string> {
  readonly selected: readonly T[];
  readonly leftOut: ReadonlyMap<T, LeftOut>;
}

/** How the tags of a repository are chosen. It depends on nothing but the rule and the tags, and not on their order. */
export interface TagSelector {
  /** The only tags that it can choose, if the rule names all of them: then nothing needs to be listed. */
  readonly names: readonly string[] | undefined;
  /** Why `tag` is left out, whatever other tags there are; `undefined` if it is not. */
  readonly refusal: (tag: string) => LeftOut | undefined;
  /**
   * The choice from `tags`, in their order. Takes time linear in their number, but for the sorting of the newest.
   *
   * @throws the signal's reason
   */
  readonly choose: <T extends string>(tags: readonly T[], signal?: AbortSignal) => Promise<TagChoice<T>>;
}

/** How many tags are judged before others may go on: an expression may take some tenths of a millisecond for each. */
const tagsPerTurn = 20;

export function selectsRepository(rule: RepositoryRule, repository: string): boolean {
  return matchesGlob(rule.name, repository);
}

const known = new WeakMap<TagSelection, Promise<TagSelector>>();

/**
 * The selector of a rule's tags, made once for each rule.
 *
 * @throws {InvalidSelectionError}
 */
export function tagSelector(tags: TagSelection): Promise<TagSelector> {
  const selector = known.get(tags) ?? makeSelector(tags);
  known.set(tags, selector);
  return selector;
}

async function makeSelector(tags: TagSelection): Promise<TagSelector> {
  const criteria = await criteriaOf(tags);
  const names = new Set(tags.include.filter(isLiteral));
  const patterns = tags.include.filter((glob) => !isLiteral(glob));
  const refusal = (tag: string): LeftOut | undefined => {
    // Who writes a name in full wants that very tag; but a list of referrers is none.
    const [attached, , suffix] = attachedTag.exec(tag) ?? [];
    if (attached !== undefined && (suffix === undefined || !names.has(tag))) return "attached";
    if (tags.exclude.some((glob) => matchesGlob(glob, tag)) || criteria?.excludes(tag) === true)
      return "excluded";
    // Newest or not.
    if (names.has(tag)) return undefined;
    if (!patterns.some((glob) => matchesGlob(glob, tag))) return "include";
    return criteria?.refusal(tag);
  };
  return {
    names: patterns.length === 0 ? [...names] : undefined,
    refusal,
    choose: async <T extends string>(all: readonly T[], signal?: AbortSignal): Promise<TagChoice<T>> => {
      const leftOut = new Map<T, LeftOut>();
      const candidates: T[] = [];
      for (const [index, tag] of all.entries()) {
        if (index % tagsPerTurn === 0 && index > 0) await turn();
        signal?.throwIfAborted();
        const reason = refusal(tag);
        if (reason !== undefined) leftOut.set(tag, reason);
        else if (!names.has(tag)) candidates.push(tag);
      }
      const newest = new Set(criteria?.newest(candidates) ?? candidates);
      for (const tag of candidates) if (!newest.has(tag)) leftOut.set(tag, "older");
      return { selected: all.filter((tag) => !leftOut.has(tag)), leftOut };
    },
  };
}

/** The engines of expressions and versions take memory: loaded for those who use them. */
async function criteriaOf(tags: TagSelection): Promise<TagCriteria | undefined> {
  const { expression, excludeExpression, semver, newest } = tags;
  if ([expression, excludeExpression, semver, newest].every((each) => each === undefined)) return undefined;
  const { compileCriteria } = await import("../../../common/selection/criteria.ts");
  return compileCriteria(tags);
}

/**
 * Whether a sync by `rules` may bring the tag, as long as the parent has it. Which tags are the newest only the parent
 * knows, so that one that others have overtaken counts as wanted; so does one by a rule that cannot be followed.
 */
export async function maySync(
  rules: readonly RepositoryRule[],
  repository: string,
  tag: string,
): Promise<boolean> {
  for (const rule of rules) {
    if (!selectsRepository(rule, repository)) continue;
    if (rule.referrers && attachedTag.test(tag)) return true;
    try {
      if ((await tagSelector(rule.tags)).refusal(tag) === undefined) return true;
    } catch (error) {
      if (!(error instanceof InvalidSelectionError)) throw error;
      return true;
    }
  }
  return false;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
