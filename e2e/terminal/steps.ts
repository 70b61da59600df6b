import type { DateTime } from "luxon";
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { StepView } from "./line.ts";
import type { Report } from "./progress.ts";

/** A step while it runs. */
export class RunningStep {
  readonly title: string;
  private readonly clock: Clock;
  private readonly started: DateTime<true>;
  private fraction: number | undefined;
  private detail: string | undefined;

  constructor(title: string, clock: Clock) {
    this.title = title;
    this.clock = clock;
    this.started = clock.now();
  }

  readonly report: Report = (fraction, detail) => {
    this.fraction = fraction;
    this.detail = detail;
  };

  view(): StepView {
    const elapsedMs = this.clock.now().diff(this.started).toMillis();
    return { title: this.title, elapsedMs, fraction: this.fraction, detail: this.detail };
  }
}

/** Runs `work`, and calls `ended` once, with the message of its error if it failed. */
export async function watched<T>(work: () => Promise<T>, ended: (failure?: string) => void): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    ended(messageOf(error));
    throw error;
  }
  ended();
  return result;
}
