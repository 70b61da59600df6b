import type { RetentionRule } from "../../../common/contract/content-settings.ts";
import { matchesGlob } from "../../../common/glob.ts";
import type { IdleManifest } from "./garbage.ts";

type TagRule = RetentionRule["tags"][number];

/** What the retention rules say of one repository. */
export interface Policy {
  readonly tags: readonly TagRule[];
  /** In milliseconds; absent: never. */
  readonly untaggedAfter?: number;
  /** In milliseconds: who was pulled so recently is wanted, with or without a tag. */
  readonly pulledWithin: number;
}

/** A tag as it is judged. Times are milliseconds since 1970. */
export interface TagFacts {
  readonly name: string;
  readonly pushedAt: number;
  /** When it, or what it points at, was pulled last, as far as that is known. */
  readonly pulledAt: number;
}

/** Pulls are noted to the hour. */
export const pullPrecision = 3_600_000;

/** What `rules` say of `repository`; `undefined` if none is about it. Of several delays the longest holds. */
export function policyFor(rules: readonly RetentionRule[], repository: string): Policy | undefined {
  const about = rules.filter((rule) => rule.repositories.some((glob) => matchesGlob(glob, repository)));
  if (about.length === 0) return undefined;
  const tags = about.flatMap((rule) => rule.tags);
  const delays = about.flatMap(({ untaggedAfterSeconds }) => untaggedAfterSeconds ?? []);
  const pulled = tags.flatMap(({ keepPulledWithinSeconds }) => keepPulledWithinSeconds ?? []);
  return {
    tags,
    ...(delays.length === 0 ? {} : { untaggedAfter: Math.max(...delays) * 1000 }),
    pulledWithin: Math.max(0, ...pulled) * 1000,
  };
}

/** Why a manifest that nothing keeps may go; `undefined` if it may not yet. @param grace in milliseconds */
export function manifestVerdict(
  { idleSince = Infinity, pushedAt, pulledAt }: IdleManifest,
  { untaggedAfter, pulledWithin }: Policy,
  now: number,
  grace: number,
): string | undefined {
  // What was pushed again may be about to get a tag, or a place in an index.
  if (now - pushedAt < grace) return undefined;
  if (idleSince === 0) {
    // Whoever names it by its digest does not ask for a tag (T16).
    const wanted = Math.max(untaggedAfter ?? 0, pulledWithin, grace) + pullPrecision;
    return pulledAt > 0 && now - pulledAt <= wanted
      ? undefined
      : "the image that it was, or was part of, is gone";
  }
  if (untaggedAfter === undefined) return undefined;
  const since = Math.max(idleSince, pulledAt);
  if (now - since < untaggedAfter) return undefined;
  return `no tag, index or subject has kept it for ${duration(untaggedAfter / 1000)}`;
}

/**
 * Judges the tags of one repository: each is offered once, and after that asked for. One of a time to come stays, and takes no
 * other's place: either the clock was wrong then, or it is now (T58).
 */
export class TagJudge {
  private readonly rules: readonly { readonly rule: TagRule; readonly newest: Newest | undefined }[];
  private readonly now: number;

  constructor(policy: Policy, now: number) {
    this.now = now;
    this.rules = policy.tags.map((rule) => ({
      rule,
      newest: rule.keepNewest === undefined ? undefined : new Newest(rule.keepNewest),
    }));
  }

  offer(tag: TagFacts): void {
    if (tag.pushedAt > this.now) return;
    for (const { rule, newest } of this.rules) if (includes(rule, tag)) newest?.offer(tag);
  }

  /** Why the tag may go; `undefined` if a rule keeps it, or none is about it. */
  verdict(tag: TagFacts): string | undefined {
    if (tag.pushedAt > this.now) return undefined;
    const about = this.rules.filter(({ rule }) => includes(rule, tag));
    if (about.length === 0 || about.some(({ rule, newest }) => this.keeps(rule, newest, tag)))
      return undefined;
    return about.map(({ rule }) => sentence(rule)).join("; ");
  }

  private keeps(rule: TagRule, newest: Newest | undefined, tag: TagFacts): boolean {
    const { keepPushedWithinSeconds: pushed, keepPulledWithinSeconds: pulled } = rule;
    if (newest?.has(tag.name) === true) return true;
    if (pushed !== undefined && this.now - tag.pushedAt <= pushed * 1000) return true;
    return (
      pulled !== undefined && this.now - Math.max(tag.pulledAt, tag.pushedAt) <= pulled * 1000 + pullPrecision
    );
  }
}

/** The `size` that were pushed last; of those pushed at once, the last by name. Keeps twice as many in memory. */
class Newest {
  private readonly size: number;
  private found: TagFacts[] = [];
  private names: ReadonlySet<string> | undefined;

  constructor(size: number) {
    this.size = size;
  }

  offer(tag: TagFacts): void {
    this.names = undefined;
    this.found.push(tag);
    if (this.found.length >= 2 * this.size) this.cut();
  }

  has(name: string): boolean {
    if (this.names === undefined) {
      this.cut();
      this.names = new Set(this.found.map((tag) => tag.name));
    }
    return this.names.has(name);
  }

  private cut(): void {
    const order = (a: TagFacts, b: TagFacts): number => b.pushedAt - a.pushedAt || (a.name < b.name ? 1 : -1);
    this.found = this.found.sort(order).slice(0, this.size);
  }
}

function includes({ include }: TagRule, { name }: TagFacts): boolean {
  return include.some((glob) => matchesGlob(glob, name));
}

function sentence(rule: TagRule): string {
  const { keepNewest, keepPushedWithinSeconds, keepPulledWithinSeconds } = rule;
  const misses = [
    ...(keepNewest === undefined ? [] : [`not among the newest ${keepNewest}`]),
    ...(keepPushedWithinSeconds === undefined
      ? []
      : [`not pushed within ${duration(keepPushedWithinSeconds)}`]),
    ...(keepPulledWithinSeconds === undefined
      ? []
      : [`not pulled within ${duration(keepPulledWithinSeconds)}`]),
  ];
  return `of ${rule.include.join(", ")}: ${misses.join(", ")}`;
}

function duration(seconds: number): string {
  return seconds % 86_400 === 0 && seconds > 0 ? `${seconds / 86_400} days` : `${seconds} seconds`;
}
