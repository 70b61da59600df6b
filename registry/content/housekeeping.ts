import { seconds, type Clock } from "../../common/clock.ts";
import { every } from "../../common/every.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";

const interval = seconds(600);

/** Drops, every now and then, what clients began and left. */
export class Housekeeping implements Service {
  readonly name = "housekeeping";
  private readonly content: { expire(): Promise<void> };
  private readonly clock: Clock;
  private readonly log: Logger;

  constructor(content: { expire(): Promise<void> }, clock: Clock, log: Logger) {
    this.content = content;
    this.clock = clock;
    this.log = log;
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const expire = (): Promise<void> =>
      this.content.expire().catch((error: unknown) => {
        this.log.error("abandoned uploads could not be dropped", { error });
      });
    await every(interval, expire, this.clock, signal);
  }
}
