import type { Clock } from "../../../common/clock.ts";

/** Where long work lets others go on. */
export interface Pace {
  /** To be awaited between any two steps of a few milliseconds at most. @throws when the work must end */
  breathe(): Promise<void>;
}

const sliceMs = 2;

/** Works in slices of a few milliseconds, and after each lets everything go first that is waiting. */
export class Slices implements Pace {
  private readonly clock: Clock;
  private readonly signal: AbortSignal | undefined;
  private begun: number;

  constructor(clock: Clock, signal?: AbortSignal) {
    this.clock = clock;
    this.signal = signal;
    this.begun = clock.now().toMillis();
  }

  async breathe(): Promise<void> {
    this.signal?.throwIfAborted();
    const passed = this.clock.now().toMillis() - this.begun;
    // A clock that was set back must not make it one long slice.
    if (passed >= 0 && passed < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.begun = this.clock.now().toMillis();
  }
}
