import pLimit from "p-limit";
import type { SyncSettings } from "../../common/contract/config.ts";
import type { Digest, Descriptor } from "../../common/oci/digest.ts";
import type { Repositories, SyncSource } from "../content/store.ts";
import { eachAttachment } from "../sync/referrers/attachments.ts";
import { idleSentence } from "../sync/planning/census.ts";
import { endsPass, isLinkFault, sentenceOf } from "../sync/faults.ts";
import type { Limit } from "../sync/copying/flights.ts";
import { ManifestShelf } from "../sync/planning/manifest-shelf.ts";
import { planSync, type PresentContent } from "../sync/planning/plan.ts";
import type { PlannedTag } from "../sync/planning/sync-plan.ts";
import { everyPlatform } from "../sync/planning/platform.ts";
import { pool } from "../sync/copying/pool.ts";
import { survey, type SurveyOptions } from "../sync/planning/survey.ts";
import { Weights } from "../sync/planning/weights.ts";
import { PlanLedger, type PlanEntry, type RepositoryPlan } from "./entries.ts";

/** What the registry has, to be looked at. */
export interface StoredContent extends PresentContent {
  /** Whether any repository has the blob: what one has need not come again for another. */
  stored(digest: Digest): Promise<boolean>;
}

export interface PreviewOptions {
  readonly sync: Pick<SyncSettings, "repositories" | "concurrency">;
  readonly source: Repositories<SyncSource> & { ping(signal?: AbortSignal): Promise<void> };
  readonly target: StoredContent;
  /** Told how many of the selected tags have been looked at. */
  readonly progress: (done: number, all: number) => void;
  readonly signal: AbortSignal;
}

/** What a sync would do now. */
export interface Preview {
  readonly entries: readonly PlanEntry[];
  readonly repositories: readonly RepositoryPlan[];
  /** What a person should know though nothing failed. */
  readonly notice?: string;
  /** Why it is not all: what every other question would have ended with. */
  readonly ending?: unknown;
}

/**
 * Finds out what a sync by these rules would bring, how many bytes that is, and what it would leave out and why. Asks the
 * parent for lists, digests and manifests, and for no blob; changes nothing. What was attached to an image that is here
 * already makes it incomplete, though a sync asks for that only now and then.
 *
 * @throws the signal's reason
 */
export async function preview(options: PreviewOptions): Promise<Preview> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const slots = pLimit(options.sync.concurrency);
  const limit: Limit = (task) =>
    slots(async () => {
      signal.throwIfAborted();
      try {
        return await task();
      } catch (error) {
        signal.throwIfAborted();
        if (endsPass(error) || (isLinkFault(error) && (await isGone(options.source, signal)))) {
          stop.abort(error);
        }
        throw error;
      }
    });
  const ledger = new PlanLedger();
  let notice: string | undefined;
  try {
    notice = await look(options, ledger, { limit, shelf: new ManifestShelf(), signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  options.signal.throwIfAborted();
  return {
    entries: ledger.sorted(),
    repositories: ledger.repositories(),
    ...(notice === undefined ? {} : { notice }),
    ...(stop.signal.aborted ? { ending: stop.signal.reason as unknown } : {}),
  };
}

async function look(
  { sync, source, target, progress }: PreviewOptions,
  ledger: PlanLedger,
  asking: SurveyOptions,
): Promise<string | undefined> {
  const plan = await planSync(sync.repositories, source, target, {
    ...asking,
    width: sync.concurrency,
    weights: new Weights(),
    leftOut: (repository, tag, reason) => {
      ledger.leave(repository, tag, reason);
    },
    progress,
  });
  for (const { repository, tag, error } of plan.failures) {
    ledger.add(failed(repository, tag, error));
  }
  for (const { repository, tag, root } of plan.tooBig) {
    ledger.leave(repository, tag, "tooBig", root.digest);
  }
  const bill = new Bill(source, target, asking);
  let done = 0;
  await pool(plan.tags, sync.concurrency, async (tag) => {
    const { repository, tag: name, root } = tag;
    const entry = { repository, tag: name, digest: root.digest };
    try {
      const bytes = await bill.of(tag);
      const here = tag.here !== undefined && bytes === 0;
      ledger.add(here ? { ...entry, state: "Here" } : { ...entry, state: stateOf(tag), bytes });
    } catch (error) {
      asking.signal.throwIfAborted();
      ledger.add(failed(repository, name, error));
    }
    progress(++done, plan.tags.length);
  });
  return idleSentence(plan.idle);
}

function stateOf({ present, root }: PlannedTag): "New" | "Changed" | "Incomplete" {
  if (present === undefined) return "New";
  return present === root.digest ? "Incomplete" : "Changed";
}

function failed(repository: string, tag: string | undefined, error: unknown): PlanEntry {
  return { repository, ...(tag === undefined ? {} : { tag }), state: "Failed", reason: sentenceOf(error) };
}

/** Counts the bytes that would come from the parent, each content once. */
class Bill {
  private readonly source: Repositories<SyncSource>;
  private readonly target: StoredContent;
  private readonly asking: SurveyOptions;
  private readonly counted = new Set<Digest>();
  /** The images that are here whose attachments were looked at, with their repository. */
  private readonly looked = new Set<string>();

  constructor(source: Repositories<SyncSource>, target: StoredContent, asking: SurveyOptions) {
    this.source = source;
    this.target = target;
    this.asking = asking;
  }

  /** Of an image, and of what would come with it. */
  async of({ repository, root, platforms, referrers, attached, here }: PlannedTag): Promise<number> {
    if (here !== undefined) {
      const image = `${repository}@${root.digest}`;
      if (this.looked.has(image)) return 0;
      this.looked.add(image);
    }
    const [source, target] = [this.source.open(repository), this.target.open(repository)];
    let bytes = 0;
    const visit = async (node: Descriptor, wanted = everyPlatform): Promise<readonly Descriptor[]> => {
      const { manifests, blobs } = await survey(source, target, node, wanted, this.asking);
      for (const manifest of manifests) {
        if (!(await target.exists(manifest))) bytes += this.once(manifest);
      }
      for (const blob of blobs) if (!(await this.target.stored(blob.digest))) bytes += this.once(blob);
      return manifests;
    };
    const manifests = here ?? (await visit(root, platforms));
    if (referrers === undefined) return bytes;
    const attachments = { ...this.asking, filter: referrers, attached };
    await eachAttachment(source, target, manifests, attachments, (attachment) => visit(attachment.root));
    return bytes;
  }

  private once({ digest, size }: Descriptor): number {
    if (this.counted.has(digest)) return 0;
    this.counted.add(digest);
    return size;
  }
}

async function isGone(source: PreviewOptions["source"], signal: AbortSignal): Promise<boolean> {
  try {
    await source.ping(signal);
    return false;
  } catch (error) {
    return isLinkFault(error);
  }
}
