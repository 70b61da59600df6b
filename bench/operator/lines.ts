import type { Progress } from "../../e2e/terminal/progress.ts";
import type { LineResult } from "../line.ts";
import { burstLine } from "./burst.ts";
import { changeLine } from "./change.ts";
import { memoryLine } from "./memory.ts";
import { quietLine } from "./quiet.ts";
import { reportsLine } from "./reports.ts";
import { restartLine } from "./restart.ts";
import type { OperatorLine, Stage } from "./stage.ts";
import { createWorld, type WorldOptions } from "./world.ts";

/** `npm run bench -- operator`: one line after another, in this order, in one cluster. */
export const operatorLines: readonly OperatorLine[] = [
  burstLine,
  quietLine,
  changeLine,
  memoryLine,
  restartLine,
  reportsLine,
];

/** Measures `lines`, after bringing about what they need. */
export async function runOperatorLines(
  lines: readonly OperatorLine[],
  options: WorldOptions,
  signal: AbortSignal,
  progress: Progress,
): Promise<readonly LineResult[]> {
  const world = await progress.step("API server with our kinds", () => createWorld(options));
  try {
    const stage: Stage = { world, operator: await world.startOperator(), folder: options.folder, signal };
    const results = await progress.step(burstLine.title, (report) => burstLine.run(stage, report));
    const found = lines.includes(burstLine) ? [...results] : [];
    await progress.step("Everything comes up", async () => {
      await world.player.startAll(signal);
    });
    for (const line of lines.filter((each) => each !== burstLine)) {
      signal.throwIfAborted();
      found.push(...(await progress.step(line.title, (report) => line.run(stage, report))));
    }
    return found;
  } finally {
    await world.stop();
  }
}
