import type { Clock } from "../../common/clock.ts";

/** As long as somebody who has just pushed to the parent may be told that it is not there. */
const keptMs = 5_000;
const maxKept = 2_000;

/** What the parent has just said that it does not have: whoever asks again and again for that asks us, and not the parent. */
export class Absences {
  private readonly clock: Clock;
  /** Until when, on the steady clock. The oldest come first. */
  private readonly known = new Map<string, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  has(key: string): boolean {
    return (this.known.get(key) ?? -Infinity) > this.clock.steady();
  }

  note(key: string): void {
    this.known.delete(key);
    this.known.set(key, this.clock.steady() + keptMs);
    for (const [oldest, until] of this.known) {
      if (until > this.clock.steady() && this.known.size <= maxKept) break;
      this.known.delete(oldest);
    }
  }

  clear(): void {
    this.known.clear();
  }
}
