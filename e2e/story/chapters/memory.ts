import { eventually } from "../../harness/eventually.ts";
import { names, type Chapter } from "../world.ts";

const boundMiB = 90;
/** Buffers of a transfer that has just ended are given back within seconds, and what else it left after a minute of rest. */
const settleMs = 150_000;

/** By now the registry has copied images of some hundred megabytes, and served them. */
export const memory: Chapter = {
  title: "Idle again, the registry is as small as it was",
  async run({ kubectl }, say) {
    const used = await eventually(`at most ${boundMiB} MiB of resident memory`, settleMs, async () => {
      const status = await kubectl.run([
        "exec",
        "-n",
        names.namespace,
        `deployment/${names.registry}`,
        "--",
        "/usr/bin/node",
        "-p",
        'require("node:fs").readFileSync("/proc/1/status", "utf8")',
      ]);
      const miB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
      if (miB <= boundMiB) return miB;
      throw new Error(`it is ${miB.toFixed(1)} MiB`);
    });
    say(`${used.toFixed(1)} MiB of resident memory`);
  },
};
