import type { Duration } from "luxon";
import { milliseconds, seconds, type Clock } from "../../common/clock.ts";

/** However long a parent wants us away, we ask again after this. */
const longest = seconds(15 * 60);

/** A pause that all workers of one parent keep together (T34). */
export class Pause {
  private readonly clock: Clock;
  private until = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Nobody goes on before `duration` has passed. */
  hold(duration: Duration): void {
    const end = this.clock.now().toMillis() + Math.min(duration.toMillis(), longest.toMillis());
    this.until = Math.max(this.until, end);
  }

  async over(signal?: AbortSignal): Promise<void> {
    for (let left = this.left(); left > 0; left = this.left()) {
      await this.clock.sleep(milliseconds(left), signal);
    }
  }

  private left(): number {
    return this.until - this.clock.now().toMillis();
  }
}
