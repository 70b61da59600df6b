import type { Report } from "../../e2e/terminal/progress.ts";
import type { LineResult } from "../line.ts";
import type { OperatorProcess } from "./operator-process.ts";
import type { World } from "./world.ts";

/** What the lines work with, one after another: each finds the world as the one before left it, at rest. */
export interface Stage {
  readonly world: World;
  /** The one that runs now. */
  operator: OperatorProcess;
  /** Where a line may leave files. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** One line of the benchmark. */
export interface OperatorLine {
  readonly name: string;
  readonly title: string;
  readonly run: (stage: Stage, report: Report) => Promise<readonly LineResult[]>;
}
