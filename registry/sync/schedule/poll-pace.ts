import type { Duration } from "luxon";
import { milliseconds, type Clock } from "../../../common/clock.ts";
import { longer, shorter } from "./durations.ts";

/** Of the time since the last change. */
const part = 10;

/**
 * How long a continuous sync rests: the longer nothing has changed, the longer it may take until a change is seen, so
 * that a quiet parent costs little. Goes by a clock that nobody sets.
 */
export class PollPace {
  private readonly clock: Clock;
  private readonly least: Duration;
  private readonly most: Duration;
  private changedAt: number;

  /** @param most if it is shorter than `least`, the rest is always `least` */
  constructor(clock: Clock, least: Duration, most: Duration) {
    this.clock = clock;
    this.least = least;
    this.most = most;
    this.changedAt = clock.steady();
  }

  /** Something has changed at the parent, or somebody wants to know. */
  changed(): void {
    this.changedAt = this.clock.steady();
  }

  /** Between the beginnings of two polls. */
  get interval(): Duration {
    const quiet = milliseconds(Math.floor((this.clock.steady() - this.changedAt) / part));
    return longer(this.least, shorter(quiet, this.most));
  }
}
