import type { Clock } from "../../../common/clock.ts";
import type { RetentionRule } from "../../../common/contract/content-settings.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Holds } from "../holds.ts";
import { FileSweep, type BlobFiles } from "./files.ts";
import type { BlobGarbage, CollectionRecords, GarbageRepository, ImageGarbage } from "./garbage.ts";
import { LinkSweep } from "./links.ts";
import { scanManifests } from "./manifest-scan.ts";
import type { Pace } from "./pace.ts";
import { policyFor, type Policy } from "./policy.ts";
import type { PullTimes } from "./pulls.ts";
import { Tally, type CollectionReport, type Removal } from "./report.ts";
import { Retention } from "./retention.ts";

export interface CollectionParts {
  readonly images: ImageGarbage;
  readonly blobs: BlobGarbage;
  readonly records: Pick<CollectionRecords, "pullsSince">;
  readonly pulls: Pick<PullTimes, "flush" | "noted">;
  readonly files: BlobFiles;
  readonly holds: Holds;
  /** When the database was last replaced, in milliseconds since 1970. */
  readonly rescuedAt: number | undefined;
  readonly clock: Clock;
  readonly pace: Pace;
}

/** Where only goes what something else has let go. */
const noRules: Policy = { tags: [], pulledWithin: 0 };
/** For so long after the database was replaced nothing goes for the reason that it does not know it. */
const rescueGraceMs = 7 * 86_400_000;

export interface CollectionOptions {
  /** How long what nothing refers to stays: a push that runs may be about to refer to it. */
  readonly graceSeconds: number;
  readonly retention: readonly RetentionRule[];
  /** By which ages are judged, in milliseconds since 1970; absent: the present. */
  readonly now?: number;
  /** Removes nothing, and says what it would remove. */
  readonly dryRun: boolean;
  /** Whether anything may be removed by age now: not while a parent that may have the only other copy is away (T53). */
  readonly mayExpire: () => boolean;
  /** Whether somebody would bring the tag back, such as the sync: then it stays. */
  readonly wanted: (repository: string, tag: string) => boolean | Promise<boolean>;
  readonly observe: (removal: Removal) => void;
}

/**
 * One collection of garbage, while everything else goes on.
 *
 * # Guarantees
 * - Nothing goes that something refers to, or that was given to a repository within the grace period, or that is pinned.
 * - Every removal is a transaction that looks again; a file goes after its row. So it may be stopped, or killed, at any
 *   moment: the next begins again.
 * - Where a manifest cannot be read, nothing of its repository goes (T62); other repositories do not wait for it.
 * - No step takes more than a few milliseconds, but for a single manifest of many layers.
 */
export class Collection {
  private readonly parts: CollectionParts;
  private readonly options: CollectionOptions;
  private readonly tally: Tally;
  private readonly retention: Retention;
  private readonly links: LinkSweep;
  private readonly files: FileSweep;
  private readonly now: number;

  constructor(parts: CollectionParts, options: CollectionOptions) {
    const { images, blobs, records, files, holds, clock, pace } = parts;
    this.parts = parts;
    this.options = options;
    this.tally = new Tally(options.observe);
    this.now = options.now ?? clock.now().toMillis();
    const grace = options.graceSeconds * 1000;
    const { now } = this;
    this.retention = new Retention(images, this.tally, pace, {
      now,
      grace,
      pullsSince: records.pullsSince(),
      wanted: options.wanted,
      pins: (repository) => ({
        // Who pulls it just now may go on to ask for it by its digest.
        pinned: (digest) => holds.pinned(digest) || parts.pulls.noted(repository, digest),
      }),
    });
    this.links = new LinkSweep(blobs, holds, this.tally, pace, now - grace);
    this.files = new FileSweep(blobs, files, holds, this.tally, pace, now - grace);
  }

  /** Never rejects: what went wrong is in the report. @param signal ends it early */
  async run(signal?: AbortSignal): Promise<CollectionReport> {
    const { clock } = this.parts;
    const startTime = clock.now().toISO();
    let ending: "Failed" | "Stopped" | undefined;
    try {
      await this.sweep(signal);
    } catch (error) {
      ending = signal?.aborted === true ? "Stopped" : "Failed";
      if (ending === "Failed") this.tally.fault({ message: messageOf(error) });
    }
    return this.tally.report(startTime, clock.now().toISO(), this.options.dryRun, ending);
  }

  private async sweep(signal?: AbortSignal): Promise<void> {
    for (let after = 0; ;) {
      await this.parts.pace.breathe();
      const page = this.parts.images.repositories(after);
      for (const repository of page) if (!repository.locked) await this.sweepOne(repository, signal);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    await this.files.removeFree();
    if (!this.mayBeWanted()) await this.files.removeUnknown();
  }

  /** Whether files that no record knows may be what a rescue forgot: the parent that has their records spares us their transfer. */
  private mayBeWanted(): boolean {
    const { rescuedAt } = this.parts;
    if (rescuedAt === undefined) return false;
    return !this.options.mayExpire() || Math.abs(this.now - rescuedAt) < rescueGraceMs;
  }

  private async sweepOne(repository: GarbageRepository, signal?: AbortSignal): Promise<void> {
    try {
      const { retention } = this.options;
      const pruned = this.parts.images.anyCondemned(repository.id) ? noRules : undefined;
      const policy = policyFor(retention, repository.name) ?? pruned;
      if (policy !== undefined) await this.expire(repository, policy);
      await this.links.apply(repository);
      await this.parts.pace.breathe();
      if (await this.parts.images.removeRepository(repository.id)) {
        const reason = "there is nothing in it";
        this.tally.gone({ kind: "repository", name: repository.name, bytes: 0, reason });
      }
    } catch (error) {
      signal?.throwIfAborted();
      this.tally.fault({ repository: repository.name, message: messageOf(error) });
    }
  }

  private async expire(repository: GarbageRepository, policy: Policy): Promise<void> {
    if (!this.options.mayExpire()) {
      this.tally.postpone();
      return;
    }
    const { blobs, pace, pulls } = this.parts;
    await pulls.flush();
    await scanManifests(blobs, repository, pace, () => undefined);
    await this.retention.apply(repository, policy);
  }
}
