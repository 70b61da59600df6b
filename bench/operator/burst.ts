import { systemClock as clock } from "../../common/clock.ts";
import { figure } from "../figure.ts";
import { atOnce } from "./at-once.ts";
import { groundOf, wantedOf } from "./objects.ts";
import type { OperatorLine } from "./stage.ts";

const boundSeconds = 120;
/** As `kubectl apply` on a folder, from several at once. */
const connections = 8;
const patienceMs = 15 * 60 * 1000;

/** Is always played: it brings about what the other lines need. */
export const burstLine: OperatorLine = {
  name: "burst",
  title: "Everything at once",
  async run({ world, operator, signal }, report) {
    const { scale, user, children } = world;
    report(undefined, "the operator leads");
    await operator.caughtUp(0);
    for (const { kind, object } of await groundOf(scale)) await user.apply(kind, object);
    const start = clock.steady();
    let applied = start;
    const applying = atOnce(connections, wantedOf(scale), async ({ kind, object }) => {
      signal.throwIfAborted();
      await user.apply(kind, object);
    }).then(() => {
      applied = clock.steady();
    });
    const told = setInterval(() => {
      report(children.found / children.count, `${children.found} of ${children.count} objects`);
    }, 500);
    const late = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    try {
      const gaveUp = Promise.withResolvers<never>();
      late.addEventListener("abort", () => {
        gaveUp.reject(new Error(`never made: ${children.examples.join(", ")}…`));
      });
      const [end] = await Promise.race([Promise.all([children.complete(), applying]), gaveUp.promise]);
      const [all, apply] = [(end - start) / 1000, (applied - start) / 1000];
      const calls = [...(await operator.calls())].map(([method, count]) => `${method} ${count}`);
      return [
        {
          name: "operator-burst",
          title: `${scale.registries} registries applied at once`,
          measures:
            `From the first apply of ${connections} connections to the last of the ${children.count} objects that they are made of, ` +
            `as a watch sees them; no other controller runs meanwhile. The operator's calls: ${calls.join(", ")}.`,
          unit: "s",
          figures: { ours: figure([all]) },
          checks: [
            {
              what: "s until all is made",
              value: figure([all]),
              bound: { kind: "at most", value: boundSeconds },
            },
            { what: "s until all is applied", value: figure([apply]) },
            { what: "s of a processor", value: figure([await operator.processorSeconds()]) },
          ],
        },
      ];
    } finally {
      clearInterval(told);
    }
  },
};
