import { seconds, systemClock as clock } from "../../common/clock.ts";
import type { Report } from "../../e2e/terminal/progress.ts";
import { figure } from "../figure.ts";
import type { LineResult } from "../line.ts";
import type { OperatorLine, Stage } from "./stage.ts";
import { summaryOf } from "./write-log.ts";

const processorBound = 1;
const restMs = 30_000;

export const quietLine: OperatorLine = {
  name: "quiet",
  title: "Nothing happens",
  async run(stage, report) {
    const { player, registries } = stage.world;
    const without = await watched(stage, report, {
      name: "operator-quiet",
      title: "Nothing happens",
      circumstances: "Nothing changes in the cluster",
    });
    const over = new AbortController();
    const beating = player.beat(AbortSignal.any([stage.signal, over.signal]));
    try {
      const heartbeats = watched(stage, report, {
        name: "operator-heartbeats",
        title: "Nothing happens but heartbeats",
        circumstances: `${registries.length} registries renew their Leases every 5 s, and nothing else changes`,
      });
      const failed = beating.then(() => new Promise<never>(() => undefined));
      return [without, await Promise.race([heartbeats, failed])];
    } finally {
      over.abort(new Error("the line is over"));
      await beating;
    }
  },
};

async function watched(
  { world, operator, signal }: Stage,
  report: Report,
  { name, title, circumstances }: Readonly<Record<"name" | "title" | "circumstances", string>>,
): Promise<LineResult> {
  const { quietSeconds } = world.scale;
  report(undefined, `${title.toLowerCase()}: until it rests`);
  await operator.atRest(restMs, signal);
  report(undefined, title.toLowerCase());
  const [start, from, began] = [clock.millis(), await operator.processorSeconds(), clock.steady()];
  await clock.sleep(seconds(quietSeconds), signal);
  const used = (await operator.processorSeconds()) - from;
  const percent = (100 * used) / ((clock.steady() - began) / 1000);
  const writes = (await world.writes.since(start)).filter(({ user }) => user === world.operatorUser);
  const listed = summaryOf(writes);
  return {
    name,
    title,
    measures:
      `${circumstances}, for ${quietSeconds} s. Writes are those of the operator in the API server's audit log, but of Leases` +
      `${listed.length === 0 ? "" : `: ${listed.join(", ")}`}; processor time is user and system time of its process.`,
    unit: "% of a core",
    figures: { ours: figure([percent]) },
    checks: [
      { what: "writes", value: figure([writes.length]), bound: { kind: "at most", value: 0 } },
      { what: "% of a core", value: figure([percent]), bound: { kind: "at most", value: processorBound } },
    ],
  };
}
