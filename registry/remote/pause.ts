import type { Duration } from "luxon";
import { milliseconds, seconds, type Clock } from "../../common/clock.ts";

/** However long a parent wants us away, we ask again after this. */
const longest = seconds(15 * 60);
/** Of what was asked for, at most: registries that were told the same do not come back together. */
const jitter = 0.1;

/** A pause that all workers of one parent keep together (T34). */
export class Pause {
  private readonly clock: Clock;
  private readonly random: () => number;
  /** By the clock that nobody sets: one that is set back by years must not hold everybody for years (T58). */
  private until = -Infinity;

  /** @param random in [0, 1) */
  constructor(clock: Clock, random: () => number) {
    this.clock = clock;
    this.random = random;
  }

  /** Nobody goes on before `duration` has passed. */
  hold(duration: Duration): void {
    const length = Math.min(duration.toMillis(), longest.toMillis()) * (1 + jitter * this.random());
    this.until = Math.max(this.until, this.clock.steady() + length);
  }

  /** How much longer it lasts; 0 when it is over. */
  get left(): Duration {
    return milliseconds(Math.max(0, this.until - this.clock.steady()));
  }

  async over(signal?: AbortSignal): Promise<void> {
    for (let { left } = this; left.toMillis() > 0; { left } = this) {
      await this.clock.sleep(left, signal);
    }
  }
}
