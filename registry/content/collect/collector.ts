import type { Clock } from "../../../common/clock.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { Blobs } from "../blobs.ts";
import type { Holds } from "../holds.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { SqliteBlobGarbage } from "./blobs-sqlite.ts";
import { Collection, type CollectionOptions } from "./collection.ts";
import type { BlobFiles } from "./files.ts";
import type { CollectionRecords } from "./garbage.ts";
import { SqliteImageGarbage } from "./images-sqlite.ts";
import { Slices, type Pace } from "./pace.ts";
import { PullTimes } from "./pulls.ts";
import { SqliteCollectionRecords } from "./records-sqlite.ts";
import type { CollectionReport } from "./report.ts";

/** What a collection goes by; what is left out hinders and removes nothing. */
export type CollectOptions = Pick<CollectionOptions, "graceSeconds"> & Partial<CollectionOptions>;

/** A copy of the metadata, on which a dry run really removes what it would remove. */
export type WithCopy = <T>(work: (copy: MetadataDatabase) => Promise<T>) => Promise<T>;

/** Collects garbage, one collection at a time. */
export class Collector {
  readonly records: CollectionRecords;
  readonly pulls: PullTimes;
  private readonly database: MetadataDatabase;
  private readonly withCopy: WithCopy;
  private readonly blobs: Blobs;
  private readonly holds: Holds;
  private readonly clock: Clock;
  private readonly rescuedAt: number | undefined;
  private running: Promise<unknown> = Promise.resolve();

  /** @param rescuedAt when the database was last replaced, in milliseconds since 1970 */
  constructor(
    database: MetadataDatabase,
    withCopy: WithCopy,
    blobs: Blobs,
    holds: Holds,
    clock: Clock,
    rescuedAt?: number,
  ) {
    this.rescuedAt = rescuedAt;
    this.database = database;
    this.withCopy = withCopy;
    this.blobs = blobs;
    this.holds = holds;
    this.clock = clock;
    this.records = new SqliteCollectionRecords(database);
    this.pulls = new PullTimes(this.records, clock);
  }

  /**
   * Waits for a collection that runs already. What goes wrong on the way is in the report.
   *
   * @throws if a dry run cannot have its copy of the metadata
   */
  collect(
    options: CollectOptions,
    signal?: AbortSignal,
    pace: Pace = new Slices(this.clock, signal),
  ): Promise<CollectionReport> {
    const collected = this.running.then(() => this.collectNow(options, signal, pace));
    this.running = collected.catch(() => undefined);
    return collected;
  }

  private async collectNow(
    options: CollectOptions,
    signal: AbortSignal | undefined,
    pace: Pace,
  ): Promise<CollectionReport> {
    await this.pulls.flush();
    if (options.dryRun !== true) return this.collection(this.database, this.blobs, options, pace).run(signal);
    return this.withCopy((copy) => this.collection(copy, untouchable(this.blobs), options, pace).run(signal));
  }

  private collection(
    database: MetadataDatabase,
    files: BlobFiles,
    options: CollectOptions,
    pace: Pace,
  ): Collection {
    const { holds, clock, pulls, rescuedAt } = this;
    return new Collection(
      {
        images: new SqliteImageGarbage(database),
        blobs: new SqliteBlobGarbage(database),
        records: new SqliteCollectionRecords(database),
        ...{ pulls, files, holds, rescuedAt, clock, pace },
      },
      {
        retention: [],
        dryRun: false,
        mayExpire: () => true,
        wanted: () => false,
        observe: () => undefined,
        ...options,
      },
    );
  }
}

/** The same files, of which some seem to be gone. */
function untouchable(blobs: Blobs): BlobFiles {
  const gone = new Set<Digest>();
  return {
    list: () => blobs.list(),
    stat: async (digest) => (gone.has(digest) ? undefined : blobs.stat(digest)),
    remove: async (digest) => {
      gone.add(digest);
    },
  };
}
