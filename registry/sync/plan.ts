import type { DateTime } from "luxon";
import type { RepositoryRule } from "../../common/contract/config.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { parseTag, type RepositoryName, type Tag } from "../../common/oci/reference.ts";
import type { LeftOut } from "../../common/selection/left-out.ts";
import type { ContentReader, Repositories, SyncSource, SyncTarget } from "../content/store.ts";
import { AttachedTags } from "./attached-tags.ts";
import { byName } from "./by-name.ts";
import type { IdleRule } from "./census.ts";
import { choosersOf, chosenRepositories, type Attempt, type Chooser } from "./choosers.ts";
import { completeGraph } from "./closure.ts";
import { Flights, type Limit } from "./flights.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";
import { pool } from "./pool.ts";
import type { ParentView } from "./prune/parent-view.ts";
import { resolveHere } from "./referrers.ts";
import type { TagChoice } from "./select.ts";
import type { TagConfirmations } from "./tag-confirmations.ts";
import type { Weights } from "./weights.ts";
import { together, wishOf, type Wanted, type Wish } from "./wish.ts";

/** One tag that the rules select, as the parent has it now. */
export interface PlannedTag extends Wanted {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
  /** The tags of the repository by which things are attached to images. */
  readonly attached: AttachedTags;
  /** What the tag is here already, whether or not all of that is here. */
  readonly present: Digest | undefined;
  /** The manifests of the image, if all of it is here under this tag already. */
  readonly here: readonly Descriptor[] | undefined;
}

/** Something that could not be planned; everything else was. */
export interface PlanFailure {
  readonly repository: string;
  readonly tag?: string;
  readonly error: unknown;
  /** Until when it rests. Absent: it is tried again in the next pass. */
  readonly retryTime?: DateTime;
}

/** A tag that rules select by its name, and leave out for what is under it. */
interface BigTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly root: Descriptor;
}

/** Sorted by repository and tag. */
export interface SyncPlan {
  readonly tags: readonly PlannedTag[];
  readonly failures: readonly PlanFailure[];
  /** Bigger than all rules allow that select it. What is here of it stays as it is. */
  readonly tooBig: readonly BigTag[];
  /** How many repositories the rules select. */
  readonly repositories: number;
  /** The rules that select nothing of what the parent has. */
  readonly idle: readonly IdleRule[];
}

/** What is here, to be looked at. */
export interface PresentContent {
  open(name: RepositoryName): ContentReader & Pick<SyncTarget, "resolve">;
}

export interface PlanOptions {
  /** Bounds the requests at once. A task that fails because all would fail ends the pass through `signal`. */
  readonly limit: Limit;
  /** How many tags are looked at together. */
  readonly width: number;
  readonly weights: Weights;
  readonly shelf: ManifestShelf;
  /** Told of each tag that no rule selects by its name, and why the first rule does not. */
  readonly leftOut?: (repository: RepositoryName, tag: Tag, reason: LeftOut) => void;
  /** Absent: the parent is asked for every tag. */
  readonly confirmations?: TagConfirmations;
  /** Told what was seen of the parent. */
  readonly view?: ParentView | undefined;
  /** Told how many of the tags have been looked at. */
  readonly progress?: (done: number, all: number) => void;
  readonly signal: AbortSignal;
}

/** What was looked for here already, in one repository: many tags name one image, and many images share layers. */
interface Looked {
  readonly known: Set<Digest>;
  readonly graphs: Flights;
}

interface WantedTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly wishes: readonly Wish[];
  readonly looked: Looked;
  readonly attached: AttachedTags;
}

/**
 * Finds out what the rules select at the parent and what of it is here, complete: at most one HEAD per tag, a list only
 * where a rule has a pattern, and manifests only where a rule bounds their size. Changes nothing. What the parent has no
 * more, or the rules select no more, is no part of a plan: it stays here.
 *
 * @throws the signal's reason
 */
export async function planSync(
  rules: readonly RepositoryRule[],
  source: Repositories<SyncSource>,
  target: PresentContent,
  options: PlanOptions,
): Promise<SyncPlan> {
  const planner = new Planner(source, target, options);
  const choosers = await choosersOf(rules, planner.attempt);
  options.view?.followed(choosers.map(({ rule }) => rule));
  const repositories = await chosenRepositories(choosers, source, planner.attempt, options);
  const lists = await pool(repositories, options.width, ([name, some]) => planner.wanted(name, some));
  const wanted = lists.flat();
  let done = 0;
  const tags = await pool(wanted, options.width, async (tag) => {
    const planned = await planner.tag(tag);
    options.progress?.(++done, wanted.length);
    return planned;
  });
  options.signal.throwIfAborted();
  options.weights.endPass();
  return {
    tags: tags.filter((tag) => tag !== undefined).sort(byName),
    failures: planner.failures.sort(byName),
    tooBig: planner.tooBig.sort(byName),
    repositories: repositories.size,
    idle: choosers.flatMap(({ rule, census }) => census.idle(rule.name) ?? []),
  };
}

class Planner {
  readonly failures: PlanFailure[] = [];
  readonly tooBig: BigTag[] = [];
  private readonly source: Repositories<SyncSource>;
  private readonly target: PresentContent;
  private readonly options: PlanOptions;

  constructor(source: Repositories<SyncSource>, target: PresentContent, options: PlanOptions) {
    this.source = source;
    this.target = target;
    this.options = options;
  }

  /** What fails is data for the others. @throws the signal's reason */
  readonly attempt: Attempt = async (item, task) => {
    try {
      return await task();
    } catch (error) {
      this.options.signal.throwIfAborted();
      this.failures.push({ ...item, error });
      return undefined;
    }
  };

  /** Every selected tag of one repository. */
  async wanted(name: RepositoryName, choosers: readonly Chooser[]): Promise<readonly WantedTag[]> {
    const { limit, signal } = this.options;
    const list = (): Promise<readonly Tag[]> => limit(() => collect(this.source.open(name).tags(signal)));
    const named = choosers.every(({ selector }) => selector.names !== undefined);
    const found = await this.attempt({ repository: name }, async () => {
      const listed = named ? undefined : await list();
      const attached = new AttachedTags(listed === undefined ? list : async () => listed);
      return { wishes: await this.wishes(name, choosers, listed), attached };
    });
    if (found === undefined) {
      for (const { census } of choosers) census.unknown();
      return [];
    }
    const { wishes, attached } = found;
    const looked: Looked = { known: new Set(), graphs: new Flights() };
    return [...wishes].map(([tag, some]) => ({ repository: name, tag, wishes: some, looked, attached }));
  }

  /** What is at the parent under the tag, and whether it is here; `undefined` if that failed, or it is too big. */
  tag(wanted: WantedTag): Promise<PlannedTag | undefined> {
    const { repository, tag } = wanted;
    return this.attempt({ repository, tag }, () => this.plan(wanted));
  }

  private async wishes(
    name: RepositoryName,
    choosers: readonly Chooser[],
    listed: readonly Tag[] | undefined,
  ): Promise<ReadonlyMap<Tag, readonly Wish[]>> {
    const choices: TagChoice<Tag>[] = [];
    const wishes = new Map<Tag, Wish[]>();
    const leftOut = new Map<Tag, LeftOut>();
    const { signal } = this.options;
    for (const { rule, selector, census } of choosers) {
      const wish = wishOf(rule, census);
      const choice = await selector.choose(selector.names?.map(parseTag) ?? listed ?? [], signal);
      choices.push(choice);
      census.add(choice);
      for (const tag of choice.selected) wishes.set(tag, [...(wishes.get(tag) ?? []), wish]);
      if (this.options.leftOut === undefined) continue;
      for (const [tag, reason] of choice.leftOut) if (!leftOut.has(tag)) leftOut.set(tag, reason);
    }
    for (const [tag, reason] of leftOut) if (!wishes.has(tag)) this.options.leftOut?.(name, tag, reason);
    this.options.view?.repository(name, listed, choices);
    return wishes;
  }

  private async plan(wanted: WantedTag): Promise<PlannedTag | undefined> {
    const { repository, tag, wishes, looked, attached } = wanted;
    const { limit, signal } = this.options;
    const target = this.target.open(repository);
    const settled = await this.settled(repository, tag);
    const root = settled ?? (await limit(() => this.source.open(repository).resolve(tag, signal)));
    if (root.mediaType.startsWith("application/vnd.docker.distribution.manifest.v1+")) {
      throw new InvalidManifestError(
        `${root.mediaType} is not a kind of image that registries exchange today`,
      );
    }
    const agreed = together(await this.light(repository, root, wishes));
    if (agreed === undefined) {
      for (const { census } of wishes) census.drop("tooBig");
      this.tooBig.push({ repository, tag, root });
      return undefined;
    }
    const present = await resolveHere(target, tag);
    if (settled === undefined && present === root.digest) this.options.confirmations?.note(repository, tag);
    const find = (): ReturnType<typeof completeGraph> =>
      completeGraph(target, root, agreed.platforms, looked.known);
    const key = `${root.digest} ${agreed.platforms.key}`;
    const here = present === root.digest ? await looked.graphs.once(key, find) : undefined;
    return { repository, tag, root, ...agreed, attached, present, here };
  }

  /** What a tag is, if it is here and does not change: the parent need not be asked. */
  private async settled(repository: RepositoryName, tag: Tag): Promise<Descriptor | undefined> {
    if (this.options.confirmations?.immutable(repository, tag) !== true) return undefined;
    const target = this.target.open(repository);
    const digest = await resolveHere(target, tag);
    return digest === undefined ? undefined : await target.resolve(tag);
  }

  /** Those of `wishes` that the image is not too big for. */
  private async light(
    name: RepositoryName,
    root: Descriptor,
    wishes: readonly Wish[],
  ): Promise<readonly Wish[]> {
    const { weights } = this.options;
    const light: Wish[] = [];
    for (const wish of wishes) {
      const { maxSize, platforms } = wish;
      const weight = (): Promise<number> =>
        weights.of(this.source.open(name), this.target.open(name), root, platforms, this.options);
      if (maxSize === undefined || (await weight()) <= maxSize) light.push(wish);
    }
    return light;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
