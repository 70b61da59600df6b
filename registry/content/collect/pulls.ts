import type { Clock } from "../../../common/clock.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { CollectionRecords, Pull } from "./garbage.ts";

/** So many different manifests between two flushes; of more, the pulls are forgotten. */
const maxPending = 20_000;
const batchSize = 200;

/**
 * When manifests were pulled: kept in memory and written every now and then, for a pull must not cost a write. What was
 * not written yet is lost when the process is killed.
 */
export class PullTimes {
  private readonly records: Pick<CollectionRecords, "notePulls">;
  private readonly clock: Clock;
  /** By repository and digest: every pull comes by here, so that no key is put together. */
  private pending = new Map<RepositoryName, Map<Digest, { at: number }>>();
  private count = 0;

  constructor(records: Pick<CollectionRecords, "notePulls">, clock: Clock) {
    this.records = records;
    this.clock = clock;
  }

  note(repository: RepositoryName, digest: Digest): void {
    const known = this.pending.get(repository)?.get(digest);
    if (known !== undefined) {
      known.at = this.clock.millis();
      return;
    }
    if (this.count >= maxPending) return;
    this.count++;
    const ofRepository = this.pending.get(repository) ?? new Map<Digest, { at: number }>();
    this.pending.set(repository, ofRepository.set(digest, { at: this.clock.millis() }));
  }

  /** Whether it was pulled, and that is not written yet. */
  noted(repository: RepositoryName, digest: Digest): boolean {
    return this.pending.get(repository)?.has(digest) === true;
  }

  /** Writes what was noted. What could not be written is forgotten. */
  async flush(): Promise<void> {
    const pulls = [...this.pending].flatMap(([repository, digests]) =>
      [...digests].map(([digest, { at }]): Pull => ({ repository, digest, at })),
    );
    this.pending = new Map();
    this.count = 0;
    for (let first = 0; first < pulls.length; first += batchSize) {
      await this.records.notePulls(pulls.slice(first, first + batchSize));
    }
  }
}
