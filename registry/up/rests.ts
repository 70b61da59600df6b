import type { DateTime, Duration } from "luxon";
import type { Backoff } from "../../common/backoff.ts";
import type { Clock } from "../../common/clock.ts";

interface Rest {
  readonly failures: number;
  readonly until: DateTime<true>;
}

/** Lets entries that failed rest, longer each time, so that they keep no other waiting. */
export class Rests {
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly resting = new Map<number, Rest>();

  constructor(clock: Clock, backoff: Backoff) {
    this.clock = clock;
    this.backoff = backoff;
  }

  isResting(id: number): boolean {
    const rest = this.resting.get(id);
    return rest !== undefined && rest.until > this.clock.now();
  }

  /** @param gained whether the try got further than the one before: then it counts as the first */
  failed(id: number, gained: boolean): void {
    const failures = gained ? 1 : (this.resting.get(id)?.failures ?? 0) + 1;
    this.resting.set(id, { failures, until: this.clock.now().plus(this.backoff(failures)) });
  }

  over(id: number): void {
    this.resting.delete(id);
  }

  /** Forgets all but those of `ids`: the others are gone. */
  retain(ids: ReadonlySet<number>): void {
    for (const id of this.resting.keys()) if (!ids.has(id)) this.resting.delete(id);
  }

  clear(): void {
    this.resting.clear();
  }

  /** Until the first of them may be tried again; `undefined` if none rests. */
  shortest(): Duration | undefined {
    const ends = [...this.resting.values()].map(({ until }) => until);
    const first = ends.sort((a, b) => a.toMillis() - b.toMillis())[0];
    return first?.diff(this.clock.now());
  }
}
