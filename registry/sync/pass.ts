import type { SyncSettings, RepositoryRule } from "../../common/contract/config.ts";
import type { SyncStatus } from "../../common/contract/status.ts";
import type { Logger } from "../../common/log.ts";
import type { Repositories, SyncSource, SyncTarget } from "../content/store.ts";
import { byName } from "./planning/by-name.ts";
import { bigSentence, idleSentence } from "./planning/census.ts";
import { Lanes } from "./copying/lanes.ts";
import { ManifestShelf } from "./planning/manifest-shelf.ts";
import { planSync } from "./planning/plan.ts";
import { pool } from "./copying/pool.ts";
import type { PassWatch } from "./telling/progress.ts";
import type { ParentView } from "./prune/parent-view.ts";
import type { ReferrerChecks } from "./referrers/referrer-checks.ts";
import type { Retries } from "./copying/retries.ts";
import { Settling } from "./copying/settling.ts";
import type { PlanFailure, PlannedTag, SyncPlan } from "./planning/sync-plan.ts";
import type { TagConfirmations } from "./planning/tag-confirmations.ts";
import type { Upward } from "./upward.ts";
import type { Weights } from "./planning/weights.ts";
import { byImage, inOrder } from "./copying/work-order.ts";

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
/** Of an image that is here: what costs is the disk, which takes several at once. */
const tagsAtOnce = 16;

/** Compares everything that is selected with the parent once, and copies what differs. One bad tag stops no other (T13). */
export async function runPass(options: PassOptions): Promise<PassResult> {
  return await new Pass(options).run();
}

class Pass {
  private readonly options: PassOptions;
  private readonly signal: AbortSignal;
  private readonly lanes: Lanes;
  private readonly shelf = new ManifestShelf();
  private readonly failures: PlanFailure[] = [];
  private readonly settling: Settling;
  private notice: string | undefined;
  private readonly counts = { selected: 0, upToDate: 0, copied: 0, failed: 0, postponed: 0 };

  constructor(options: PassOptions) {
    this.options = options;
    this.lanes = new Lanes(options.sync.concurrency, options.parentGone, options.signal);
    this.signal = this.lanes.signal;
    this.settling = new Settling({
      ...options,
      limit: this.lanes.limit,
      shelf: this.shelf,
      failed: (failure) => this.failures.push(failure),
      signal: this.signal,
    });
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
      limit: this.lanes.limit,
      width: this.lanes.questions,
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
    const missing = work.filter(
      (tag) => tag.here === undefined && this.settling.resting(tag) === undefined,
    ).length;
    watch.planned(repositories, countBy(work));
    if (missing > 0) {
      log.info("copying what is new at the parent", { tags: missing, upToDate: this.counts.upToDate });
      progress({ ...this.counts });
    }
    const take = async (tag: PlannedTag): Promise<void> => {
      if (tag.here === undefined) watch.begun();
      this.counts[await this.settling.settle(tag)] += 1;
      watch.settled(tag.repository);
      if (missing > 0) progress({ ...this.counts });
    };
    await pool(byImage(work), lookahead * sync.concurrency, async ([first, ...others]) => {
      await take(first);
      await pool(others, tagsAtOnce, take);
    });
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
}

/** How many tags of each repository there are. */
function countBy(tags: readonly PlannedTag[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { repository } of tags) counts.set(repository, (counts.get(repository) ?? 0) + 1);
  return counts;
}
