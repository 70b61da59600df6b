import type { SyncSettings, RepositoryRule } from "../../common/contract/config.ts";
import type { SyncStatus } from "../../common/contract/status.ts";
import type { Logger } from "../../common/log.ts";
import { UnsentTagError, type Repositories, type SyncSource, type SyncTarget } from "../content/store.ts";
import { byName } from "./by-name.ts";
import { bigSentence, idleSentence } from "./census.ts";
import { copyGraph } from "./copy.ts";
import { endsPass, isLinkFault, sentenceOf } from "./faults.ts";
import { Flights, type Limit } from "./flights.ts";
import { planSync, type PlanFailure, type PlannedTag, type SyncPlan } from "./plan.ts";
import { ManifestShelf } from "./manifest-shelf.ts";
import { pool } from "./pool.ts";
import type { ParentView } from "./prune/parent-view.ts";
import type { ReferrerChecks } from "./referrer-checks.ts";
import { copyReferrers } from "./referrers.ts";
import type { PassWatch } from "./progress.ts";
import type { Retries } from "./retries.ts";
import { Slots } from "./slots.ts";
import type { Upward } from "./upward.ts";
import type { TagConfirmations } from "./tag-confirmations.ts";
import type { Weights } from "./weights.ts";
import { byImage, inOrder } from "./work-order.ts";

export interface PassOptions {
  readonly sync: Pick<SyncSettings, "repositories" | "concurrency">;
  readonly source: Repositories<SyncSource>;
  readonly target: Repositories<SyncTarget>;
  readonly retries: Retries;
  readonly referrerChecks: ReferrerChecks;
  readonly weights: Weights;
  readonly confirmations: TagConfirmations;
  /** Knows what clients changed here and the parent does not have yet: that stays as it is. */
  readonly up?: Pick<Upward, "holds" | "noteParent"> | undefined;
  /** Asks whether the parent is gone altogether: then the pass ends, and the rest is postponed. */
  readonly parentGone: () => Promise<boolean>;
  /** Told when there is something to copy, and after each item of it. */
  readonly progress: (tags: TagCounts) => void;
  readonly watch: PassWatch;
  readonly log: Logger;
  /** Told what the pass sees of the parent. */
  readonly view?: ParentView;
  /** Aborts when the window closes or the settings change. */
  readonly signal: AbortSignal;
}

export type TagCounts = SyncStatus["tags"];

export interface PassResult {
  readonly tags: TagCounts;
  /** Sorted by repository and tag. */
  readonly failures: readonly PlanFailure[];
  /** How many tags were removed that were missing. */
  readonly pruned?: number;
  /** What a person should know though nothing failed. */
  readonly notice?: string;
  /** Why the pass ended before it had tried everything. */
  readonly ending?: unknown;
}

/** So many images are looked into for each transfer, so that a small one need not wait for a large one. */
const lookahead = 4;
/**
 * So many questions (what a tag is, what is attached, manifests) may be open for each transfer: they take a round trip
 * each and next to nothing of the link, and transfers wait for what they bring.
 */
const questionsPerTransfer = 8;
/** Of an image that is here: what costs is the disk, which takes several at once. */
const tagsAtOnce = 16;

type Outcome = "upToDate" | "copied" | "failed" | "postponed";

/** Compares everything that is selected with the parent once, and copies what differs. One bad tag stops no other (T13). */
export async function runPass(options: PassOptions): Promise<PassResult> {
  return await new Pass(options).run();
}

class Pass {
  private readonly options: PassOptions;
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private readonly limit: Limit;
  private readonly flights = new Map<string, Flights>();
  private readonly shelf = new ManifestShelf();
  private readonly failures: PlanFailure[] = [];
  private notice: string | undefined;
  private readonly counts = { selected: 0, upToDate: 0, copied: 0, failed: 0, postponed: 0 };

  constructor(options: PassOptions) {
    this.options = options;
    this.signal = AbortSignal.any([options.signal, this.stop.signal]);
    const { concurrency } = options.sync;
    const transfers = new Slots(concurrency);
    // A parent that refuses the first is not asked all the others; and who allows it one thing at a time means it.
    const questions = concurrency === 1 ? transfers : new Slots(concurrency, this.questions);
    this.limit = (task, weight) =>
      weight === undefined
        ? questions.run(() => this.guarded(task), 0)
        : transfers.run(() => this.guarded(task), weight);
  }

  async run(): Promise<PassResult> {
    try {
      const plan = await this.plan(this.options.sync.repositories);
      await this.carryOut(plan);
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
    const result = {
      tags: { ...this.counts },
      failures: this.failures.sort(byName),
      ...(this.notice === undefined ? {} : { notice: this.notice }),
    };
    return this.signal.aborted ? { ...result, ending: this.signal.reason as unknown } : result;
  }

  private async plan(rules: readonly RepositoryRule[]): Promise<SyncPlan> {
    const { source, target } = this.options;
    const plan = await planSync(rules, source, target, {
      limit: this.limit,
      width: this.questions,
      weights: this.options.weights,
      confirmations: this.options.confirmations,
      shelf: this.shelf,
      view: this.options.view,
      signal: this.signal,
    });
    this.failures.push(...plan.failures);
    for (const { repository, tag, root } of this.options.weights.news(plan.tooBig)) {
      this.options.log.info("left out, for it is bigger than the rules allow", {
        ...{ repository, tag, digest: root.digest },
      });
    }
    const sentences = [idleSentence(plan.idle), bigSentence(plan.tooBig)];
    this.notice = sentences.filter((each) => each !== undefined).join(" ") || undefined;
    this.counts.failed = plan.failures.length;
    this.counts.selected = plan.tags.length + plan.failures.filter(({ tag }) => tag !== undefined).length;
    return plan;
  }

  private async carryOut({ tags: all, repositories }: SyncPlan): Promise<void> {
    const tags = await this.free(all);
    const { referrerChecks, retries, log, progress, sync, watch } = this.options;
    referrerChecks.retain(tags);
    const work = inOrder(
      tags.filter(
        (tag) => tag.here === undefined || (tag.referrers !== undefined && referrerChecks.due(tag)),
      ),
      ({ repository, tag, root }) => retries.hasFailed(`${repository}:${tag}`, root.digest),
    );
    this.counts.upToDate = tags.length - work.length;
    const missing = work.filter((tag) => tag.here === undefined && this.resting(tag) === undefined).length;
    watch.planned(repositories, countBy(work));
    if (missing > 0) {
      log.info("copying what is new at the parent", { tags: missing, upToDate: this.counts.upToDate });
      progress({ ...this.counts });
    }
    const take = async (tag: PlannedTag): Promise<void> => {
      if (tag.here === undefined) watch.begun();
      this.counts[await this.settle(tag)] += 1;
      watch.settled(tag.repository);
      if (missing > 0) progress({ ...this.counts });
    };
    await pool(byImage(work), lookahead * sync.concurrency, async ([first, ...others]) => {
      await take(first);
      await pool(others, tagsAtOnce, take);
    });
  }

  /** How many may be open at once. */
  private get questions(): number {
    return questionsPerTransfer * this.options.sync.concurrency;
  }

  /** The tags that no change waits to go up of; what the parent has under them is noted. */
  private async free(tags: readonly PlannedTag[]): Promise<readonly PlannedTag[]> {
    const { up } = this.options;
    if (up === undefined) return tags;
    const free = tags.filter(({ repository, tag, root }) => !up.holds(repository, tag, root.digest));
    this.counts.postponed += tags.length - free.length;
    await up.noteParent(free.filter(({ here }) => here !== undefined));
    return free;
  }

  /** Never rejects: what happens to one tag is data for the others. */
  private async settle(planned: PlannedTag): Promise<Outcome> {
    const { repository, tag, root } = planned;
    const { retries, log } = this.options;
    const rest = this.resting(planned);
    if (rest !== undefined) {
      this.failures.push({ repository, tag, error: rest.error, retryTime: rest.until });
      return "failed";
    }
    try {
      this.signal.throwIfAborted();
      const outcome = await this.bring(planned);
      retries.succeeded(`${repository}:${tag}`);
      if (outcome === "copied") log.info("copied", { repository, tag, digest: root.digest });
      return outcome;
    } catch (error) {
      if (this.signal.aborted || error instanceof UnsentTagError) return "postponed";
      log.warn("a tag failed to sync, and is tried again later", {
        repository,
        tag,
        error: sentenceOf(error),
      });
      const retryTime = retries.failed(`${repository}:${tag}`, root.digest, error);
      this.failures.push({ repository, tag, error, retryTime });
      return "failed";
    }
  }

  /** @throws whatever is missing: of the image, and then the tag is what it was (T20), or only of what refers to it */
  private async bring(planned: PlannedTag): Promise<"copied" | "upToDate"> {
    const { repository, tag, root, platforms, here, referrers: filter, attached } = planned;
    const source = this.options.source.open(repository);
    const target = this.options.target.open(repository);
    const flights = this.flights.get(repository) ?? new Flights();
    this.flights.set(repository, flights);
    const { shelf, signal, limit } = this;
    const copy = { limit, platforms, flights, shelf, watch: this.options.watch, signal };
    const manifests = here ?? (await copyGraph(source, target, root, copy));
    // Before the tag, so that whoever sees the new image sees its signature; a failure must not keep the image back.
    let failure: { readonly error: unknown } | undefined;
    if (filter !== undefined) {
      const key = `referrers ${root.digest} ${platforms.key} ${filter.key}`;
      await flights
        .once(key, () => copyReferrers(source, target, manifests, { ...copy, filter, attached }))
        .then(
          () => {
            this.options.referrerChecks.done(planned);
          },
          (error: unknown) => {
            failure = { error };
          },
        );
    }
    this.signal.throwIfAborted();
    if (here === undefined) {
      await target.tag(root, tag, this.signal);
      this.options.confirmations.note(repository, tag);
    }
    if (failure !== undefined) throw failure.error;
    return here === undefined ? "copied" : "upToDate";
  }

  private resting({ repository, tag, root }: PlannedTag): ReturnType<Retries["restingFor"]> {
    return this.options.retries.restingFor(`${repository}:${tag}`, root.digest);
  }

  /** Runs one transfer; if it fails as all others would, the pass ends instead of failing once per tag. */
  private async guarded<T>(task: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      this.signal.throwIfAborted();
      const gone = isLinkFault(error) && (await this.options.parentGone());
      if (gone || endsPass(error)) this.stop.abort(error);
      throw error;
    }
  }
}

/** How many tags of each repository there are. */
function countBy(tags: readonly PlannedTag[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { repository } of tags) counts.set(repository, (counts.get(repository) ?? 0) + 1);
  return counts;
}
