import { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { RepositoryQuota } from "../../common/contract/content-settings.ts";
import { BlobReader } from "./blob-reader.ts";
import type { Blobs } from "./blobs.ts";
import { Collector, type WithCopy } from "./collect/collector.ts";
import { Holds } from "./holds.ts";
import { Ingests } from "./ingests.ts";
import { Intake, pushPrefix } from "./intake.ts";
import type { Locks } from "./locks/locks.ts";
import { ManifestIntake } from "./manifest-intake.ts";
import type { Metadata } from "./metadata.ts";
import type { MetadataDatabase } from "./metadata-database.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { Pruning } from "./prune/pruning.ts";
import { SqlitePruning } from "./prune/pruning-sqlite.ts";
import { Quota } from "./quota.ts";
import type { RepositoryParts } from "./repository.ts";
import type { Space } from "./rescue/free-space.ts";
import type { KeptDatabase } from "./rescue/open-database.ts";
import { Quarantine } from "./scrub/quarantine.ts";
import type { ScrubParts } from "./scrub/scrub.ts";
import { Suspects } from "./scrub/suspects.ts";
import { Uploads } from "./uploads.ts";

/** What content needs wherever it lies. */
export interface PartsOptions {
  readonly clock: Clock;
  /** Makes names that nobody used before, such as `randomUUID`. */
  readonly newId: () => string;
  /** In bytes; asked before each write. */
  readonly quota: () => number | undefined;
  /** Bounds of single repositories; asked before each write. Absent: none. */
  readonly repositoryQuotas?: () => readonly RepositoryQuota[];
  /** Whether what clients change is to go up to a parent; asked at each change. Absent: it is not. */
  readonly goesUp?: () => boolean;
  /** Watches the volume; absent: nobody does. */
  readonly space?: Space;
}

/** What is known of content, by subject. */
export interface MetadataPorts {
  readonly metadata: Metadata;
  readonly locks: Locks;
  readonly outbox: Outbox;
  readonly database: MetadataDatabase;
  readonly withCopy: WithCopy;
}

/** What there is one of in a registry, put together. */
export interface ContentParts {
  readonly repository: RepositoryParts;
  readonly uploads: Uploads;
  readonly locks: Locks;
  readonly outbox: Outbox;
  readonly collector: Collector;
  readonly pruning: Pruning;
  /** What a scrub works on. */
  readonly scrubbed: Pick<ScrubParts, "database" | "blobs" | "quarantine" | "suspects">;
}

const noQuotas = (): readonly RepositoryQuota[] => [];
const uploadLimits = {
  open: 1_000,
  openPerClient: 200,
  /** More than the largest layer that ACR takes (200 GiB). */
  bytes: 256 * 1024 ** 3,
  idle: Duration.fromObject({ hours: 24 }),
};

/** Puts content together: takes up the uploads that an earlier process left, and drops what only its pushes could use. */
export async function composeParts(
  blobs: Blobs,
  { metadata, locks, outbox, database, withCopy }: MetadataPorts,
  { clock, newId, quota: total, repositoryQuotas: repositories = noQuotas, space }: PartsOptions,
  lastRescue: KeptDatabase["lastRescue"],
): Promise<ContentParts> {
  const incoming = await dropPushes(blobs);
  const quota = new Quota({ total, repositories, space }, incoming, (name) => metadata.usageNow(name));
  const holds = new Holds();
  const intake = new Intake(blobs, metadata, quota, holds, newId);
  const ingests = new Ingests({ blobs, metadata, quota, holds, intake });
  const manifests = new ManifestIntake(metadata, quota);
  const rescuedAt = lastRescue === undefined ? undefined : Date.parse(lastRescue.time);
  const collector = new Collector(database, withCopy, blobs, holds, clock, rescuedAt);
  const uploads = new Uploads(blobs, intake, clock, newId, uploadLimits);
  await uploads.restore();
  const quarantine = new Quarantine(database, blobs, holds, clock);
  const suspects = new Suspects();
  const reader = new BlobReader(blobs, suspects.report);
  const { pulls } = collector;
  return {
    repository: { metadata, blobs, reader, intake, ingests, manifests, quota, locks, holds, pulls },
    uploads,
    locks,
    outbox,
    collector,
    pruning: new SqlitePruning(database, clock),
    scrubbed: { database, blobs, quarantine, suspects },
  };
}

/** Drops what only pushes that are over could use. Returns how many bytes are staged for others. */
async function dropPushes(blobs: Blobs): Promise<number> {
  let staged = 0;
  for (const { key, size } of await blobs.staged()) {
    if (key.startsWith(pushPrefix)) await (await blobs.stage(key)).discard();
    else staged += size;
  }
  return staged;
}
