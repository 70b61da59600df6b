import type { RepositoryRule } from "../../../common/contract/config.ts";
import type { Descriptor, Digest } from "../../../common/oci/digest.ts";
import { InvalidManifestError } from "../../../common/oci/manifest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { ContentReader, Repositories, SyncSource, SyncTarget } from "../../content/store.ts";
import type { AttachedTags } from "../referrers/attached-tags.ts";
import { byName } from "./by-name.ts";
import { choosersOf, chosenRepositories, type Attempt, type Chooser } from "./choosers.ts";
import { completeGraph } from "./closure.ts";
import { Flights, type Limit } from "../copying/flights.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";
import { pool } from "../copying/pool.ts";
import { resolveHere } from "../referrers/referrers.ts";
import type { BigTag, PlanFailure, PlannedTag, SyncPlan } from "./sync-plan.ts";
import type { TagConfirmations } from "./tag-confirmations.ts";
import { wantedTags, type WantedOptions, type WantedTag } from "./wanted-tags.ts";
import type { Weights } from "./weights.ts";
import { together, type Wish } from "./wish.ts";

/** What is here, to be looked at. */
export interface PresentContent {
  open(name: RepositoryName): ContentReader & Pick<SyncTarget, "resolve">;
}

export interface PlanOptions extends WantedOptions {
  /** Bounds the requests at once. A task that fails because all would fail ends the pass through `signal`. */
  readonly limit: Limit;
  /** How many tags are looked at together. */
  readonly width: number;
  readonly weights: Weights;
  readonly shelf: ManifestShelf;
  /** Absent: the parent is asked for every tag. */
  readonly confirmations?: TagConfirmations;
  /** Told how many of the tags have been looked at. */
  readonly progress?: (done: number, all: number) => void;
}

/** What was looked for here already, in one repository: many tags name one image, and many images share layers. */
interface Looked {
  readonly known: Set<Digest>;
  readonly graphs: Flights;
}

/** A tag to look at. */
interface Candidate extends WantedTag {
  readonly repository: RepositoryName;
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
  const lists = await pool(repositories, options.width, ([name, some]) => planner.candidates(name, some));
  const candidates = lists.flat();
  let done = 0;
  const tags = await pool(candidates, options.width, async (tag) => {
    const planned = await planner.tag(tag);
    options.progress?.(++done, candidates.length);
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
  async candidates(name: RepositoryName, choosers: readonly Chooser[]): Promise<readonly Candidate[]> {
    const wanted = await wantedTags(this.source, name, choosers, this.attempt, this.options);
    if (wanted === undefined) return [];
    const { tags, attached } = wanted;
    const looked: Looked = { known: new Set(), graphs: new Flights() };
    return tags.map((tag) => ({ repository: name, ...tag, looked, attached }));
  }

  /** What is at the parent under the tag, and whether it is here; `undefined` if that failed, or it is too big. */
  tag(candidate: Candidate): Promise<PlannedTag | undefined> {
    const { repository, tag } = candidate;
    return this.attempt({ repository, tag }, () => this.plan(candidate));
  }

  private async plan(candidate: Candidate): Promise<PlannedTag | undefined> {
    const { repository, tag, wishes, looked, attached } = candidate;
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
