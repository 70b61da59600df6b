import { join } from "node:path";
import type { Line } from "../bench.ts";
import { figure } from "../figure.ts";
import { ourRegistry } from "../servers/ours.ts";
import { startServer, timeToReady } from "../servers/server.ts";

export const startLine: Line = {
  name: "start",
  title: "Ready after start",
  async run({ programs, folder, logs, signal, scale, load, profile }, report) {
    const ours = await ourRegistry(programs, { folder: join(folder, "ours"), profile });
    const server = await startServer(ours.program, ours.url, ours.probe, logs, signal);
    report(undefined, "filling our registry");
    await load.seed(server.url, scale);
    await server.stop();
    const times: number[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      report(round / scale.rounds);
      times.push((await timeToReady(ours.program, ours.probe, logs)) / 1000);
    }
    const value = figure(times);
    const count = (n: number): string => n.toLocaleString("en-US");
    return [
      {
        name: "start",
        title: `Ready with ${count(scale.repositories)} repositories, ${count(scale.manifests)} manifests`,
        measures: "Seconds from the start of the process until /readyz answers 200.",
        unit: "s",
        figures: { ours: value },
        checks: [{ what: "seconds", value, bound: { kind: "at most", value: 1 } }],
      },
    ];
  },
};
