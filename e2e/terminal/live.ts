import { type Clock, milliseconds } from "../../common/clock.ts";
import { endLine, runningLine } from "./line.ts";
import type { Output } from "./output.ts";
import type { Progress, Report } from "./progress.ts";
import { RunningStep, watched } from "./steps.ts";

const redraw = milliseconds(100);
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Progress on a terminal: a line for each running step, redrawn in place, below the lines of the finished ones. */
export class LiveProgress implements Progress {
  private readonly output: Output;
  private readonly clock: Clock;
  private readonly running = new Set<RunningStep>();
  private idle = new AbortController();
  private drawn = 0;
  private frame = 0;

  constructor(output: Output, clock: Clock) {
    this.output = output;
    this.clock = clock;
  }

  step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    const step = new RunningStep(title, this.clock);
    this.running.add(step);
    if (this.running.size === 1) {
      this.idle = new AbortController();
      void this.animate(this.idle.signal);
    }
    this.draw();
    return watched(
      () => work(step.report),
      (failure) => {
        this.running.delete(step);
        this.draw(endLine(step.view(), failure));
        if (this.running.size === 0) this.idle.abort();
      },
    );
  }

  private async animate(idle: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.clock.sleep(redraw, idle);
      } catch {
        return;
      }
      this.frame++;
      this.draw();
    }
  }

  /** Replaces the lines drawn last by those of the running steps, with `finished` above them for good. */
  private draw(finished?: string): void {
    const mark = spinner[this.frame % spinner.length] ?? "";
    const lines = [...this.running].map((step) => runningLine(step.view(), mark, this.output.columns ?? 80));
    const back = this.drawn === 0 ? "" : `\x1b[${this.drawn}A\r\x1b[J`;
    const text = [...(finished === undefined ? [] : [finished]), ...lines]
      .map((line) => `${line}\n`)
      .join("");
    this.output.write(back + text);
    this.drawn = lines.length;
  }
}
