import { milliseconds, type Clock } from "../../../common/clock.ts";

/** Shorter pauses are not worth a timer. */
const shortestPauseMs = 20;
/** What opening a file costs a disk, in bytes that it could have read instead. */
const perFile = 16 * 1024;

/** Holds somebody who reads back to so many bytes per second. */
export class Pace {
  private readonly bytesPerSecond: () => number;
  private readonly clock: Clock;
  private aheadUntil = 0;

  /** @param bytesPerSecond asked anew each time */
  constructor(bytesPerSecond: () => number, clock: Clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
  }

  /** A file was opened. */
  file(signal: AbortSignal): Promise<void> {
    return this.take(perFile, signal);
  }

  /** `bytes` were read; resolves when the next may be. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.clock.steady();
    this.aheadUntil = Math.max(now, this.aheadUntil) + (bytes * 1000) / this.bytesPerSecond();
    const ahead = this.aheadUntil - now;
    if (ahead >= shortestPauseMs) await this.clock.sleep(milliseconds(ahead), signal);
    signal.throwIfAborted();
  }
}
