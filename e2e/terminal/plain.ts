import { type Clock, seconds } from "../../common/clock.ts";
import { endLine, heartbeatLine } from "./line.ts";
import type { Output } from "./output.ts";
import type { Progress, Report } from "./progress.ts";
import { RunningStep, watched } from "./steps.ts";

/** Often enough for people and CI to see that it lives, seldom enough for a log. */
const heartbeat = seconds(15);

/** Progress in lines that are only ever added: when a step starts, when it ends, and a sign of life between. */
export class PlainProgress implements Progress {
  private readonly output: Output;
  private readonly clock: Clock;

  constructor(output: Output, clock: Clock) {
    this.output = output;
    this.clock = clock;
  }

  step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    const step = new RunningStep(title, this.clock);
    const over = new AbortController();
    this.line(`▶ ${title}`);
    void this.beat(step, over.signal);
    return watched(
      () => work(step.report),
      (failure) => {
        over.abort();
        this.line(endLine(step.view(), failure));
      },
    );
  }

  private async beat(step: RunningStep, over: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.clock.sleep(heartbeat, over);
      } catch {
        return;
      }
      this.line(heartbeatLine(step.view()));
    }
  }

  private line(text: string): void {
    this.output.write(`${text}\n`);
  }
}
