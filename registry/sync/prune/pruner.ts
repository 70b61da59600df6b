import type { PruneSettings } from "../../../common/contract/prune-settings.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { attachedTo } from "../../../common/oci/attached-tag.ts";
import type { BroughtRepository, BroughtTag, Pruning } from "../../content/prune/pruning.ts";
import type { Repositories, SyncSource } from "../../content/store.ts";
import { heldBack, type PruneHindrance } from "./hindrances.ts";
import type { PruneMetrics } from "./metrics.ts";
import type { ParentView, Sight } from "./parent-view.ts";
import type { AfterPass, PruneRules } from "./pruned-pass.ts";
import { Cap, goneOnly, missingReasons, verdictOn, type NoVerdict, type Verdict } from "./verdict.ts";

export interface PrunerParts {
  readonly pruning: Pruning;
  readonly metrics: PruneMetrics;
  /** Told what keeps tags from being pruned that are missing; `undefined`: nothing does. */
  readonly tell: (description: string | undefined) => void;
  readonly log: Logger;
}

interface Judged extends Verdict {
  readonly repository: BroughtRepository;
  /** Whether an earlier pass found some of its tags missing. */
  readonly marked: boolean;
}

/**
 * Removes tags that came from the parent and that it has no more, or the rules select no more.
 *
 * # Guarantees
 * - Only after complete passes: what a pass did not see in full is no ground for anything (T19).
 * - A tag goes after it was missing in two passes, and for the grace time; its image stays for the recovery time.
 * - More than the cap go neither at once nor one after the other: all that are missing count.
 * - What is locked, was pushed here, or waits to go up, stays.
 */
export class Pruner implements AfterPass {
  private readonly parts: PrunerParts;

  constructor(parts: PrunerParts) {
    this.parts = parts;
  }

  async after(
    view: ParentView,
    source: Repositories<SyncSource>,
    settings: PruneRules,
    signal: AbortSignal,
  ): Promise<number> {
    const { pruning, metrics, tell } = this.parts;
    const hindrances: PruneHindrance[] = [];
    const judged: Judged[] = [];
    for (const repository of pruning.repositories()) {
      const verdict = await this.judge(repository, view, source, signal);
      if ("missing" in verdict) judged.push(settings.onlyGone ? goneOnly(verdict) : verdict);
      else if (verdict.because !== undefined)
        hindrances.push({ kind: "odd", repository: repository.name, because: verdict.because });
    }
    const cap = new Cap(settings.maxPercent);
    const nothing = !view.selectsAnything || cap.exceededByAll(judged);
    let gone = 0;
    for (const each of judged) {
      signal.throwIfAborted();
      if (each.missing.size > 0 && (nothing || cap.exceededBy(each))) {
        hindrances.push({ kind: "many", repository: each.repository.name });
      } else if (each.missing.size > 0 || each.marked) {
        gone += await this.act(each, settings, signal);
      }
    }
    await this.release(settings, signal);
    await pruning.keepTime();
    metrics.pruned(gone);
    tell(heldBack(hindrances, settings.maxPercent));
    return gone;
  }

  /** Asks the parent for all tags of the repository where it has said of one alone that it has it not. */
  private async judge(
    repository: BroughtRepository,
    view: ParentView,
    source: Repositories<SyncSource>,
    signal: AbortSignal,
  ): Promise<Judged | NoVerdict> {
    const tags: Tag[] = [];
    let marked = false;
    for (const page of this.pages(repository.id)) {
      for (const { name, missingSince } of page) {
        tags.push(name);
        marked ||= missingSince !== undefined;
      }
      await turn(signal);
    }
    const sight = await confirmed(view, repository.name, source, this.parts.log, signal);
    const verdict = verdictOn(tags, sight);
    return "missing" in verdict ? { ...verdict, repository, marked } : verdict;
  }

  private async act(
    { repository, missing }: Judged,
    settings: PruneSettings,
    signal: AbortSignal,
  ): Promise<number> {
    const { pruning, log } = this.parts;
    const before = pruning.watched() - settings.gracePeriodSeconds * 1000;
    let gone = 0;
    for (const page of this.pages(repository.id)) {
      await turn(signal);
      const absent = page.filter(({ name }) => missing.has(name));
      const back = page.filter(({ name, missingSince }) => missingSince !== undefined && !missing.has(name));
      const fresh = absent.filter(({ missingSince }) => missingSince === undefined);
      // What an earlier pass has marked: this is the second that finds it missing, at least.
      const due = absent.filter(({ missingSince = Infinity }) => missingSince <= before);
      await pruning.unmark(repository.id, back);
      await pruning.mark(repository.id, fresh);
      const going = due.map((tag) => ({ tag, reason: missingReasons[missing.get(tag.name) ?? "gone"] }));
      for (const { tag, reason } of await pruning.prune(repository.id, going)) {
        log.info("pruned", { repository: repository.name, tag: tag.name, reason });
        gone++;
      }
    }
    return gone;
  }

  private async release({ recoveryPeriodSeconds }: PruneSettings, signal: AbortSignal): Promise<void> {
    const { pruning, log } = this.parts;
    const before = pruning.watched() - recoveryPeriodSeconds * 1000;
    let released = 0;
    for (let some; (some = await pruning.release(before)) > 0; released += some) await turn(signal);
    if (released > 0)
      log.info("images of pruned tags are left to the collection of garbage", { tags: released });
  }

  /** What is attached to an image goes with the image. */
  private *pages(repository: number): Generator<readonly BroughtTag[]> {
    for (let after = ""; ;) {
      const page = this.parts.pruning.tags(repository, after);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.name;
      yield page.filter(({ name }) => attachedTo(name) === undefined);
    }
  }
}

/** The sight of a repository, with all its tags if it matters which of them the parent has. */
async function confirmed(
  view: ParentView,
  name: RepositoryName,
  source: Repositories<SyncSource>,
  log: Logger,
  signal: AbortSignal,
): Promise<Sight> {
  const sight = view.sightOf(name);
  if (sight.kind !== "seen" || sight.view.listed !== undefined || view.absentOf(name).size === 0)
    return sight;
  try {
    const listed = new Set<Tag>();
    for await (const tag of source.open(name).tags(signal)) listed.add(tag);
    return { kind: "seen", view: { ...sight.view, listed } };
  } catch (error) {
    signal.throwIfAborted();
    log.debug("tags that may be gone cannot be told from others", {
      repository: name,
      error: messageOf(error),
    });
    return { kind: "unknown" };
  }
}

async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
