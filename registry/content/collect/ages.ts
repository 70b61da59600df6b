import type { Clock } from "../../../common/clock.ts";

/** A moment by both clocks, in milliseconds. */
interface Moment {
  readonly time: number;
  readonly steady: number;
}

/** More than a clock that is only corrected gains. */
const toleranceMs = 60_000;

/**
 * The time by which ages are judged. A clock that is set forward makes what came just before look old (T58): a device that has no
 * clock of its own learns the time while clients push. So for as long as it could matter, the time before counts on.
 *
 * # Caveats
 * Only what happens between two calls of `now` is noticed.
 */
export class Ages {
  private readonly clock: Clock;
  private seen: Moment;
  /** What the time would have been when the clock was found to be set forward. */
  private jumps: readonly Moment[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
    this.seen = this.moment();
  }

  /**
   * In milliseconds since 1970: the present, or earlier.
   *
   * @param grace the least age that anybody asks for, in milliseconds
   */
  now(grace: number): number {
    const now = this.moment();
    const expected = this.seen.time + (now.steady - this.seen.steady);
    this.seen = now;
    if (now.time - expected > toleranceMs) this.jumps = [...this.jumps, { ...now, time: expected }];
    this.jumps = this.jumps.filter(({ steady }) => now.steady - steady < grace);
    return Math.min(now.time, ...this.jumps.map(({ time, steady }) => time + (now.steady - steady)));
  }

  private moment(): Moment {
    return { time: this.clock.now().toMillis(), steady: this.clock.steady() };
  }
}
