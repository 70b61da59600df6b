import type { Duration } from "luxon";
import type { Backoff } from "../../common/backoff.ts";
import { milliseconds, type Clock } from "../../common/clock.ts";

/** Lets entries that failed rest, longer each time, so that they keep no other waiting. */
export class Rests {
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  /** By the ids of entries, until when by the clock that nobody sets (T58). */
  private readonly resting = new Map<number, number>();

  constructor(clock: Clock, backoff: Backoff) {
    this.clock = clock;
    this.backoff = backoff;
  }

  isResting(id: number): boolean {
    const until = this.resting.get(id);
    return until !== undefined && until > this.clock.steady();
  }

  /** @param failures how many there were, one after the other */
  failed(id: number, failures: number): void {
    this.resting.set(id, this.clock.steady() + this.backoff(failures).toMillis());
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
    if (this.resting.size === 0) return undefined;
    return milliseconds(Math.min(...this.resting.values()) - this.clock.steady());
  }
}
