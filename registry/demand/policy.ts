import type { RepositoryRule, SyncSettings } from "../../common/contract/config.ts";
import { InvalidSelectionError } from "../../common/selection/faults.ts";
import { everyPlatform, platformFilter, type PlatformFilter } from "../sync/planning/platform.ts";
import {
  eitherReferrers,
  everyReferrer,
  referrerFilter,
  type ReferrerFilter,
} from "../sync/referrers/referrer-filter.ts";
import { selectsRepository, tagSelector } from "../sync/planning/select.ts";

/** What the settings let be fetched on demand; everything asked anew, since they change. */
type Asked = Pick<SyncSettings, "onDemand" | "repositories">;

/**
 * Which platforms of what `tag` names may be fetched, if it may be fetched at all. `newest` does not count: which tags are
 * among the newest only a listing of the parent can tell.
 */
export async function platformsOf(
  settings: Asked | undefined,
  repository: string,
  tag: string,
): Promise<PlatformFilter | undefined> {
  if (settings === undefined || settings.onDemand.policy === "Never") return undefined;
  if (settings.onDemand.policy === "Any") return everyPlatform;
  const rules: RepositoryRule[] = [];
  for (const rule of settings.repositories) if (await selects(rule, repository, tag)) rules.push(rule);
  return platformsOfRules(rules);
}

/**
 * The same of what somebody asks for by a digest that nothing here names: no rule is about digests, so that it may be
 * fetched only where everything of the repository may.
 */
export function platformsOfAnything(
  settings: Asked | undefined,
  repository: string,
): PlatformFilter | undefined {
  if (settings === undefined || settings.onDemand.policy === "Never") return undefined;
  if (settings.onDemand.policy === "Any") return everyPlatform;
  const rules = settings.repositories.filter((rule) => selectsRepository(rule, repository));
  return platformsOfRules(rules.filter(selectsEveryTag));
}

/** The platforms that any of the rules about `repository` wants. */
export function platformsOfRepository(
  settings: Pick<SyncSettings, "repositories"> | undefined,
  repository: string,
): PlatformFilter | undefined {
  const rules = settings?.repositories ?? [];
  return platformsOfRules(rules.filter((rule) => selectsRepository(rule, repository)));
}

/** Which of the things that refer to images of `repository` may be fetched; `undefined`: none. */
export function referrersOf(settings: Asked | undefined, repository: string): ReferrerFilter | undefined {
  if (settings === undefined || settings.onDemand.policy === "Never") return undefined;
  if (settings.onDemand.policy === "Any") return everyReferrer;
  return settings.repositories
    .filter((rule) => rule.referrers && selectsRepository(rule, repository))
    .map((rule) => referrerFilter(rule.referrerTypes))
    .reduce<ReferrerFilter | undefined>(eitherReferrers, undefined);
}

function platformsOfRules(rules: readonly RepositoryRule[]): PlatformFilter | undefined {
  if (rules.length === 0) return undefined;
  if (rules.some(({ platforms }) => platforms.length === 0)) return everyPlatform;
  return platformFilter(rules.flatMap(({ platforms }) => platforms));
}

async function selects(rule: RepositoryRule, repository: string, tag: string): Promise<boolean> {
  if (!selectsRepository(rule, repository)) return false;
  try {
    return (await tagSelector(rule.tags)).refusal(tag) === undefined;
  } catch (error) {
    if (!(error instanceof InvalidSelectionError)) throw error;
    return false;
  }
}

function selectsEveryTag({ tags }: RepositoryRule): boolean {
  const { include, exclude, expression, excludeExpression, semver, newest } = tags;
  const narrowing = [expression, excludeExpression, semver, newest].some((each) => each !== undefined);
  return include.includes("*") && exclude.length === 0 && !narrowing;
}
