import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../../common/clock.ts";
import type { SyncStatus } from "../../../common/contract/status.ts";
import type { Coming, CopyWatch } from "../copying/copy.ts";

type TagCounts = SyncStatus["tags"];

/** What a run has done so far, and when it may be done. */
export type Progress = Pick<
  SyncStatus,
  "repositories" | "bytes" | "bytesPlanned" | "bytesSaved" | "bytesPerSecond" | "estimatedEndTime"
>;

/** Told by a pass what it does. */
export interface PassWatch extends CopyWatch {
  /** @param open how many tags there are to look at, of each repository that has any */
  readonly planned: (repositories: number, open: ReadonlyMap<string, number>) => void;
  /** A tag begins that lacks something here. */
  readonly begun: () => void;
  /** Everything was tried for a tag. */
  readonly settled: (repository: string) => void;
}

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

const tick = seconds(1);
/** The rate is that of the last so many ticks. */
const samplesKept = 31;
/** Less than this says nothing about the rest, in milliseconds. */
const leastElapsed = 5_000;

/** Counts what one sync does while it does it. */
export class RunProgress implements PassWatch {
  private readonly clock: Clock;
  private readonly received: () => number;
  private readonly begin: Sample;
  private readonly samples: Sample[];
  private repositories: { planned: number; open: Map<string, number> } | undefined;
  /** Tags that lack something here: how many there are, how many of these were begun. */
  private missing = 0;
  private started = 0;
  private bytesWanted = 0;
  private bytesArrived = 0;
  private bytesHere = 0;

  /** @param received bytes of all bodies that the parent has sent so far */
  constructor(clock: Clock, received: () => number) {
    this.clock = clock;
    this.received = received;
    this.begin = { at: clock.steady(), bytes: received() };
    this.samples = [this.begin];
  }

  readonly planned = (repositories: number, open: ReadonlyMap<string, number>): void => {
    this.repositories = { planned: repositories, open: new Map(open) };
  };

  readonly begun = (): void => {
    this.started += 1;
  };

  readonly settled = (repository: string): void => {
    const open = this.repositories?.open;
    const left = (open?.get(repository) ?? 0) - 1;
    if (left > 0) open?.set(repository, left);
    else open?.delete(repository);
  };

  readonly wanted = (bytes: number): Coming => {
    let missing = bytes;
    this.bytesWanted += bytes;
    return {
      found: (here) => {
        missing -= here;
        this.bytesWanted -= here;
        this.bytesHere += here;
      },
      arrived: () => {
        this.bytesArrived += missing;
      },
    };
  };

  readonly saved = (bytes: number): void => {
    this.bytesHere += bytes;
  };

  /** Looks at the time every second, and calls `show`, until the signal aborts. Never rejects. */
  async follow(show: () => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.clock.sleep(tick, signal).catch(() => undefined);
      if (signal.aborted) return;
      this.samples.push(this.sample());
      if (this.samples.length > samplesKept) this.samples.shift();
      show();
    }
  }

  /** @param tags as they stand; @param end when the run has ended, if it has */
  at(tags: TagCounts, end?: DateTime<true>): Progress {
    this.missing = tags.selected - tags.upToDate;
    const now = this.sample();
    const bytes = now.bytes - this.begin.bytes;
    const [oldest = this.begin] = end === undefined ? this.samples : [this.begin];
    const elapsed = now.at - oldest.at;
    const rate = elapsed === 0 ? undefined : Math.round(((now.bytes - oldest.bytes) * 1000) / elapsed);
    const estimate = end === undefined ? this.estimate(tags, rate) : undefined;
    const { repositories: all } = this;
    return {
      ...(all === undefined
        ? {}
        : { repositories: { planned: all.planned, done: all.planned - all.open.size } }),
      bytes,
      bytesPlanned: this.bytesWanted,
      bytesSaved: this.bytesHere,
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
      ...(estimate === undefined ? {} : { estimatedEndTime: estimate.toISO() }),
    };
  }

  /** What is known of the tags that were begun is taken for the others, too. */
  private estimate(tags: TagCounts, rate: number | undefined): DateTime<true> | undefined {
    const elapsed = this.clock.steady() - this.begin.at;
    if (elapsed < leastElapsed || this.started === 0) return undefined;
    const settled = tags.copied + tags.failed + tags.postponed;
    // Of what is on its way nobody tells how much has come, but by the bytes of all.
    const came = Math.max(
      this.bytesArrived,
      Math.min(this.bytesWanted, this.sample().bytes - this.begin.bytes),
    );
    const bytesLeft = (this.bytesWanted * this.missing) / this.started - came;
    const byBytes = rate === undefined || rate === 0 ? undefined : bytesLeft / rate;
    // Where next to nothing is missing, the requests take the time, and not the bytes.
    const byTags = settled === 0 ? undefined : ((elapsed / 1000) * (this.missing - settled)) / settled;
    const left = this.bytesWanted > this.bytesHere ? (byBytes ?? byTags) : (byTags ?? byBytes);
    return left === undefined ? undefined : this.clock.now().plus(seconds(Math.max(1, Math.round(left))));
  }

  private sample(): Sample {
    return { at: this.clock.steady(), bytes: this.received() };
  }
}
