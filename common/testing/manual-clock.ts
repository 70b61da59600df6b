import { DateTime, type Duration } from "luxon";
import type { Clock } from "../clock.ts";

interface Sleeper {
  at: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  private time: DateTime<true>;
  private sleepers: Sleeper[] = [];
  /** By how much it was set forward, in milliseconds. */
  private jumped = 0;

  constructor(start = "2026-01-01T00:00:00Z") {
    const parsed = DateTime.fromISO(start, { zone: "utc" });
    if (!parsed.isValid) throw new RangeError(`not a time: ${start}`);
    this.time = parsed;
  }

  now(): DateTime<true> {
    return this.time;
  }

  millis(): number {
    return this.time.toMillis();
  }

  steady(): number {
    return this.time.toMillis() - this.jumped;
  }

  /** Sets the clock, forward or back: no time passes. */
  set(start: string): void {
    const before = this.time.toMillis();
    this.time = new ManualClock(start).time;
    const by = this.time.toMillis() - before;
    this.jumped += by;
    for (const sleeper of this.sleepers) sleeper.at += by;
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const sleeper = {
        at: this.time.toMillis() + duration.toMillis(),
        wake: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      const stop = (): void => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.sleepers.push(sleeper);
    });
  }

  /** How many are asleep: tests wait for this before they advance. */
  get sleeping(): number {
    return this.sleepers.length;
  }

  /** Moves time forward, waking sleepers in order of their time, and lets all that they trigger settle. */
  async advance(duration: Duration): Promise<void> {
    const end = this.time.plus(duration);
    await settle();
    for (;;) {
      const next = this.sleepers.filter(({ at }) => at <= end.toMillis()).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.sleepers = this.sleepers.filter((other) => other !== next);
      const woken = DateTime.fromMillis(Math.max(next.at, this.time.toMillis()), { zone: "utc" });
      if (woken.isValid) this.time = woken;
      next.wake();
      await settle();
    }
    this.time = end;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
