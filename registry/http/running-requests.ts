import type { ServerResponse } from "node:http";
import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";

/** Counts requests from their beginning to the end of their answer, and waits for the last of them. */
export class RunningRequests {
  private running = 0;
  private begun = 0;
  /** Aborts when none runs any more; absent until somebody waits for that. */
  private quiet: AbortController | undefined;

  add(response: ServerResponse): void {
    this.running++;
    this.begun++;
    response.on("close", () => {
      this.running--;
      if (this.running === 0) this.quiet?.abort();
    });
  }

  /** How many run, and how many there ever were. */
  get activity(): { readonly running: number; readonly begun: number } {
    return { running: this.running, begun: this.begun };
  }

  /** Resolves once none runs any more, or after `longest`, with how many still run. */
  async ended(longest: Duration, clock: Clock): Promise<number> {
    this.quiet = new AbortController();
    if (this.running > 0) await clock.sleep(longest, this.quiet.signal).catch(() => undefined);
    return this.running;
  }
}
