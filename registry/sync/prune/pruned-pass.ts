import type { PruneSettings } from "../../../common/contract/prune-settings.ts";
import { messageOf } from "../../../common/errors.ts";
import { parseRepository, parseTag } from "../../../common/oci/reference.ts";
import { TagNotFoundError, type Repositories, type SyncSource } from "../../content/store.ts";
import { runPass, type PassOptions, type PassResult } from "../pass.ts";
import { ParentView } from "./parent-view.ts";

export interface PruneRules extends PruneSettings {
  /** Whether tags that are not selected are wanted, too: clients may have fetched them. */
  readonly onlyGone: boolean;
}

/** What acts on what a pass has seen, all of which it tried. */
export interface AfterPass {
  /** @returns how many tags went @throws the signal's reason */
  after(
    view: ParentView,
    source: Repositories<SyncSource>,
    rules: PruneRules,
    signal: AbortSignal,
  ): Promise<number>;
}

/** One pass; and after one that tried everything, what it means for tags that are missing. */
export async function prunedPass(
  pruner: AfterPass,
  rules: PruneRules,
  options: PassOptions,
): Promise<PassResult> {
  if (!rules.enabled) return await runPass(options);
  const view = new ParentView(options.sync.repositories);
  const result = await runPass({ ...options, view });
  if (result.ending !== undefined) return result;
  for (const { repository, tag, error } of result.failures) {
    if (tag !== undefined && error instanceof TagNotFoundError) {
      view.missing(parseRepository(repository), parseTag(tag));
    }
  }
  try {
    return { ...result, pruned: await pruner.after(view, options.source, rules, options.signal) };
  } catch (error) {
    // The window may have closed: the next pass finds the same.
    if (!options.signal.aborted) options.log.error("tags could not be pruned", { error: messageOf(error) });
    return result;
  }
}
