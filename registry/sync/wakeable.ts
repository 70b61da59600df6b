import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";

/** A sleep that others may end. A call to `wake` while nobody sleeps ends the next sleep at once. */
export class Wakeable {
  private readonly clock: Clock;
  private called = false;
  private sleeper: AbortController | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  wake(): void {
    this.called = true;
    this.sleeper?.abort();
  }

  /** Until `duration` has passed, or somebody wakes. @throws the signal's reason */
  async sleep(duration: Duration, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const sleeper = new AbortController();
    this.sleeper = sleeper;
    if (!this.called) {
      await this.clock.sleep(duration, AbortSignal.any([signal, sleeper.signal])).catch(() => undefined);
    }
    this.called = false;
    signal.throwIfAborted();
  }
}
