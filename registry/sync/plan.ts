import type { RepositoryRule } from "../../common/contract/config.ts";
import { isLiteral } from "../../common/glob.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { isManifest } from "../../common/oci/mediatype.ts";
import { parseRepository, parseTag, type RepositoryName, type Tag } from "../../common/oci/reference.ts";
import { TagNotFoundError, type Repositories, type SyncSource, type SyncTarget } from "../content/store.ts";
import { completeGraph } from "./closure.ts";
import { Flights, type Limit } from "./flights.ts";
import { platformFilter, type PlatformFilter } from "./platform.ts";
import { pool } from "./pool.ts";
import { Census, type IdleRule } from "./census.ts";
import { selectsRepository, tagSelector, type TagSelector } from "./select.ts";

/** One tag that the rules select, as the parent has it now. */
export interface PlannedTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
  readonly platforms: PlatformFilter;
  readonly referrers: boolean;
  /** The manifests of the image, if all of it is here under this tag already. */
  readonly here: readonly Descriptor[] | undefined;
}

/** Something that could not be planned; everything else was. */
export interface PlanFailure {
  readonly repository: string;
  readonly tag?: string;
  readonly error: unknown;
}

/** Sorted by repository and tag. */
export interface SyncPlan {
  readonly tags: readonly PlannedTag[];
  readonly failures: readonly PlanFailure[];
  /** The rules that select nothing of what the parent has. */
  readonly idle: readonly IdleRule[];
}

export interface PlanOptions {
  /** Bounds the requests at once. A task that fails because all would fail ends the pass through `signal`. */
  readonly limit: Limit;
  /** How many tags are looked at together. */
  readonly width: number;
  readonly signal: AbortSignal;
}

/** Where several rules select a tag, it is wanted with everything that any of them wants. */
interface Wish {
  readonly platforms: PlatformFilter;
  readonly referrers: boolean;
}

/** What was looked for here already, in one repository: many tags name one image, and many images share layers. */
interface Looked {
  readonly known: Set<Digest>;
  readonly graphs: Flights;
}

/** A rule that can be followed. */
interface Chooser {
  readonly rule: RepositoryRule;
  readonly selector: TagSelector;
  readonly census: Census;
}

interface WantedTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly wish: Wish;
  readonly looked: Looked;
}

/**
 * Finds out what the rules select at the parent and what of it is here, complete: at most one HEAD per tag, and a list
 * only where a rule has a pattern. Changes nothing. What the parent has no more, or the rules select no more, is no
 * part of a plan: it stays here.
 *
 * @throws the signal's reason
 */
export async function planSync(
  rules: readonly RepositoryRule[],
  source: Repositories<SyncSource>,
  target: Repositories<SyncTarget>,
  options: PlanOptions,
): Promise<SyncPlan> {
  const planner = new Planner(source, target, options);
  const choosers = await planner.choosers(rules);
  const repositories = await planner.repositories(choosers);
  const wanted = await pool(repositories, options.width, ([name, some]) => planner.wanted(name, some));
  const tags = await pool(wanted.flat(), options.width, (tag) => planner.tag(tag));
  options.signal.throwIfAborted();
  return {
    tags: tags.filter((tag) => tag !== undefined).sort(byName),
    failures: planner.failures.sort(byName),
    idle: choosers.flatMap(({ rule, census }) => census.idle(rule.name) ?? []),
  };
}

class Planner {
  readonly failures: PlanFailure[] = [];
  private readonly source: Repositories<SyncSource>;
  private readonly target: Repositories<SyncTarget>;
  private readonly options: PlanOptions;

  constructor(source: Repositories<SyncSource>, target: Repositories<SyncTarget>, options: PlanOptions) {
    this.source = source;
    this.target = target;
    this.options = options;
  }

  /** The rules that can be followed: one that cannot stops no other (T08). */
  async choosers(rules: readonly RepositoryRule[]): Promise<readonly Chooser[]> {
    const choosers: Chooser[] = [];
    for (const rule of rules) {
      await this.attempt({ repository: rule.name }, async () => {
        choosers.push({ rule, selector: await tagSelector(rule.tags), census: new Census() });
      });
    }
    return choosers;
  }

  /** Every selected repository, with the rules that select it. */
  async repositories(choosers: readonly Chooser[]): Promise<ReadonlyMap<RepositoryName, readonly Chooser[]>> {
    const chosen = new Map<RepositoryName, Chooser[]>();
    const choose = (name: RepositoryName, chooser: Chooser): void => {
      chosen.set(name, [...(chosen.get(name) ?? []), chooser]);
    };
    for (const chooser of choosers.filter(({ rule }) => isLiteral(rule.name))) {
      const name = await this.attempt({ repository: chooser.rule.name }, async () =>
        parseRepository(chooser.rule.name),
      );
      if (name === undefined) chooser.census.unknown();
      else choose(name, chooser);
    }
    const patterns = choosers.filter(({ rule }) => !isLiteral(rule.name));
    const [first] = patterns;
    if (first === undefined) return chosen;
    const names = await this.attempt({ repository: first.rule.name }, () =>
      this.options.limit(() => collect(this.source.list(this.options.signal))),
    );
    for (const chooser of patterns) {
      if (names === undefined) chooser.census.unknown();
      for (const name of names ?? []) if (selectsRepository(chooser.rule, name)) choose(name, chooser);
    }
    return chosen;
  }

  /** Every selected tag of one repository. */
  async wanted(name: RepositoryName, choosers: readonly Chooser[]): Promise<readonly WantedTag[]> {
    const wishes = await this.attempt({ repository: name }, () => this.wishes(name, choosers));
    if (wishes === undefined) for (const { census } of choosers) census.unknown();
    const looked: Looked = { known: new Set(), graphs: new Flights() };
    return [...(wishes ?? [])].map(([tag, wish]) => ({ repository: name, tag, wish, looked }));
  }

  /** What is at the parent under the tag, and whether it is here; `undefined` if that failed. */
  tag(wanted: WantedTag): Promise<PlannedTag | undefined> {
    const { repository, tag } = wanted;
    return this.attempt({ repository, tag }, () => this.plan(wanted));
  }

  private async wishes(name: RepositoryName, choosers: readonly Chooser[]): Promise<Map<Tag, Wish>> {
    const wishes = new Map<Tag, Wish>();
    const { limit, signal } = this.options;
    const listed = choosers.every(({ selector }) => selector.names !== undefined)
      ? []
      : await limit(() => collect(this.source.open(name).tags(signal)));
    for (const { rule, selector, census } of choosers) {
      const platforms = platformFilter(rule.platforms);
      const choice = await selector.choose(selector.names?.map(parseTag) ?? listed, signal);
      census.add(choice);
      for (const tag of choice.selected) {
        const other = wishes.get(tag);
        wishes.set(tag, {
          platforms: other === undefined ? platforms : either(other.platforms, platforms),
          referrers: rule.referrers || other?.referrers === true,
        });
      }
    }
    return wishes;
  }

  private async plan({ repository: name, tag, wish, looked }: WantedTag): Promise<PlannedTag> {
    const { limit, signal } = this.options;
    const root = await limit(() => this.source.open(name).resolve(tag, signal));
    if (!isManifest(root.mediaType)) {
      throw new InvalidManifestError(
        `${root.mediaType} is not a kind of image that registries exchange today`,
      );
    }
    const target = this.target.open(name);
    const same = (await resolveHere(target, tag)) === root.digest;
    const find = (): ReturnType<typeof completeGraph> =>
      completeGraph(target, root, wish.platforms, looked.known);
    const here = same ? await looked.graphs.once(`${root.digest} ${wish.platforms.key}`, find) : undefined;
    return { repository: name, tag, root, ...wish, here };
  }

  private async attempt<T>(item: Omit<PlanFailure, "error">, task: () => Promise<T>): Promise<T | undefined> {
    try {
      return await task();
    } catch (error) {
      this.options.signal.throwIfAborted();
      this.failures.push({ ...item, error });
      return undefined;
    }
  }
}

function either(a: PlatformFilter, b: PlatformFilter): PlatformFilter {
  if (a.key === b.key || a.key === "") return a;
  if (b.key === "") return b;
  return {
    key: [...new Set([...a.key.split(","), ...b.key.split(",")])].sort().join(","),
    wants: (child) => a.wants(child) || b.wants(child),
  };
}

async function resolveHere(target: SyncTarget, tag: Tag): Promise<Digest | undefined> {
  try {
    return (await target.resolve(tag)).digest;
  } catch (error) {
    if (error instanceof TagNotFoundError) return undefined;
    throw error;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

interface Named {
  readonly repository: string;
  readonly tag?: string;
}

export function byName(a: Named, b: Named): number {
  return compare(a.repository, b.repository) || compare(a.tag ?? "", b.tag ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
