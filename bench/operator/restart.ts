import { figure } from "../figure.ts";
import type { LineResult } from "../line.ts";
import type { OperatorLine, Stage } from "./stage.ts";

const boundSeconds = 15;

export const restartLine: OperatorLine = {
  name: "restart",
  title: "The operator starts again",
  async run(stage, report) {
    const found: LineResult[] = [];
    for (const by of ["SIGTERM", "SIGKILL"] as const) {
      const times: number[] = [];
      for (let i = 0; i < stage.world.scale.restarts; i++) {
        report(undefined, `after ${by}`);
        times.push(await restart(stage, by));
      }
      const value = figure(times);
      found.push({
        name: `operator-restart-${by.toLowerCase()}`,
        title: `Start after ${by}`,
        measures: `From the start of the process until it leads, has looked at all ${stage.world.registries.length} registries and nothing waits.`,
        unit: "s",
        figures: { ours: value },
        checks: [
          { what: "s until it has caught up", value, bound: { kind: "at most", value: boundSeconds } },
        ],
      });
    }
    return found;
  },
};

async function restart(stage: Stage, by: "SIGTERM" | "SIGKILL"): Promise<number> {
  const { world, signal } = stage;
  await stage.operator.stop(by);
  stage.operator = await world.startOperator();
  const seconds = await stage.operator.caughtUp(world.registries.length);
  await stage.operator.atRest(5000, signal);
  return seconds;
}
