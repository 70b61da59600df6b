import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { milliseconds, seconds, systemClock as clock } from "../../common/clock.ts";
import { HttpsClusterApi } from "../../common/cluster/https-api.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import type { NamespacedName } from "../../operator/runtime/kube.ts";
import { StatusReporter } from "../../registry/cluster/reporter.ts";
import { StatusBoard } from "../../registry/sync/telling/board.ts";
import { figure } from "../figure.ts";
import type { OperatorLine, Stage } from "./stage.ts";
import { mostWithin } from "./write-log.ts";

const windowMs = 5000;
/** How often each registry has something new to tell. */
const newsMs = 100;
const bytesPlanned = 1024 ** 3;

export const reportsLine: OperatorLine = {
  name: "reports",
  title: "Registries report progress",
  async run(stage, report) {
    const { world, signal } = stage;
    const { reporters, reportSeconds } = world.scale;
    await stage.operator.atRest(5000, signal);
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const start = clock.millis();
    const running = await Promise.all(
      world.registries.slice(0, reporters).map((key, i) => syncing(stage, key, i, stopped)),
    );
    report(undefined, `${reporters} registries sync`);
    await clock.sleep(seconds(reportSeconds), signal);
    const writes = (await world.writes.since(start)).filter(
      ({ resource }) => resource === "connectedregistries/status",
    );
    stop.abort(new Error("the line is over"));
    await Promise.all(running.map(({ done }) => done));
    const most = mostWithin(windowMs, writes);
    const byOperator = writes.filter(({ user }) => user === world.operatorUser).length;
    return [
      {
        name: "operator-reports",
        title: `${reporters} registries report the progress of a sync`,
        measures:
          `Our registry's reporter, ${reporters} times with the rights of as many registries, has news every ${newsMs} ms for ${reportSeconds} s; ` +
          "writes of a status, by whomever, are counted in the API server's audit log.",
        unit: "writes of one status in 5 s",
        figures: { ours: figure([most]) },
        checks: [
          {
            what: "writes of one status in any 5 s",
            value: figure([most]),
            bound: { kind: "at most", value: 1 },
          },
          { what: "status writes in all", value: figure([writes.length]) },
          { what: "of them by the operator", value: figure([byOperator]) },
        ],
      },
    ];
  },
};

/** A registry of which only the reporting is real. */
async function syncing(
  { world, folder }: Stage,
  place: NamespacedName,
  at: number,
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void> }> {
  const { server, token, ca } = await world.accountOf(place);
  const own = join(folder, `registry-${at}`);
  await mkdir(own);
  const [tokenFile, caFile] = [join(own, "token"), join(own, "ca.crt")];
  await writeFile(tokenFile, token, { mode: 0o600 });
  await writeFile(caFile, ca);
  const api = new HttpsClusterApi({ server, tokenFile, caFile }, clock, Math.random, silentLog);
  const board = new StatusBoard("1.0.0", clock, randomUUID);
  const memory = { count: 0, heard: async () => Promise.resolve() };
  const reporter = new StatusReporter(api, place, board, memory, clock, Math.random, silentLog);
  board.update({ contact: "online", copying: true });
  const news = async (): Promise<void> => {
    const startTime = clock.now().toISO();
    const tags = { selected: 1, upToDate: 0, copied: 0, failed: 0, postponed: 0 };
    for (let bytes = 0; !signal.aborted; bytes += 1024 ** 2) {
      board.update({
        sync: { trigger: "Schedule", state: "Syncing", startTime, tags, failures: [], bytes, bytesPlanned },
      });
      await clock.sleep(milliseconds(newsMs), signal).catch(() => undefined);
    }
  };
  const done = Promise.all([reporter.run(signal), news()]).then(() => {
    api.close();
  });
  return { done };
}
