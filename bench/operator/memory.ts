import { figure } from "../figure.ts";
import { memoryOf } from "../servers/server.ts";
import type { OperatorLine } from "./stage.ts";

const boundMebibytes = 200;
const restMs = 30_000;

export const memoryLine: OperatorLine = {
  name: "memory",
  title: "Resident memory",
  async run({ world, operator, signal }, report) {
    report(undefined, "until it rests");
    await operator.atRest(restMs, signal);
    const { now, peak } = await memoryOf(operator);
    const bound = { kind: "at most", value: boundMebibytes } as const;
    return [
      {
        name: "operator-memory",
        title: `Resident memory with ${world.registries.length} registries`,
        measures:
          "Of the operator's process: VmRSS when it is at rest, and VmHWM, the most since it started, before all else.",
        unit: "MiB",
        figures: { ours: figure([now]) },
        checks: [
          { what: "MiB at rest", value: figure([now]), bound },
          { what: "MiB at most", value: figure([peak]), bound },
        ],
      },
    ];
  },
};
