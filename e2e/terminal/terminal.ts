import { type Clock, systemClock } from "../../common/clock.ts";
import { LiveProgress } from "./live.ts";
import { PlainProgress } from "./plain.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";

/** Progress as `output` can show it: redrawn lines on a terminal, plain lines in a pipe or a log. */
export function terminalProgress(output: Output = process.stdout, clock: Clock = systemClock): Progress {
  // A terminal that says it is dumb cannot move its cursor.
  const live = output.isTTY === true && process.env.TERM !== "dumb";
  return live ? new LiveProgress(output, clock) : new PlainProgress(output, clock);
}
