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
  private pending = new Map<string, Pull>();

  constructor(records: Pick<CollectionRecords, "notePulls">, clock: Clock) {
    this.records = records;
    this.clock = clock;
  }

  note(repository: RepositoryName, digest: Digest): void {
    const key = `${repository}@${digest}`;
    if (this.pending.size >= maxPending && !this.pending.has(key)) return;
    this.pending.set(key, { repository, digest, at: this.clock.millis() });
  }

  /** Writes what was noted. What could not be written is forgotten. */
  async flush(): Promise<void> {
    const pulls = [...this.pending.values()];
    this.pending = new Map();
    for (let first = 0; first < pulls.length; first += batchSize) {
      await this.records.notePulls(pulls.slice(first, first + batchSize));
    }
  }
}
