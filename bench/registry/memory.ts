import { join } from "node:path";
import type { Bench, Line } from "../bench.ts";
import { figure } from "../figure.ts";
import type { LineResult } from "../line.ts";
import { startOurs } from "../servers/ours.ts";
import { forgetPeak, memoryOf, type Server } from "../servers/server.ts";

const idleBound = 90;
const busyBound = 200;
const pulls = 200;
/** Pulled by each of the many: so much that all are under way at once for a while. */
const pulledBytes = 32 * 1024 ** 2;
/** How long nothing happens before a registry counts as idle: ours gives memory back after a minute. */
const restMs = 75_000;

export const memoryLine: Line = {
  name: "memory",
  title: "Resident memory",
  async run(bench, report) {
    const { programs, folder, logs, signal, scale, load } = bench;
    const plain = await startOurs(programs, { folder: join(folder, "plain") }, logs, signal);
    report(undefined, "idle");
    await rest();
    const results = [await idle("memory-idle", "Resident memory, idle after the start", plain)];
    const gibibytes = scale.hugeBytes / 1024 ** 3;
    let path = "";
    report(undefined, `push of ${gibibytes} GiB`);
    results.push(
      await peak("memory-push", `Resident memory, ${gibibytes} GiB layer pushed`, plain, async () => {
        path = `/v2/huge/blobs/${(await load.upload(plain.url, "huge", scale.hugeBytes)).digest}`;
      }),
    );
    report(undefined, `pull of ${gibibytes} GiB`);
    results.push(
      await peak("memory-pull", `Resident memory, ${gibibytes} GiB layer pulled`, plain, () =>
        load.stream(plain.url + path, 1),
      ),
    );
    report(undefined, `${pulls} pulls at once`);
    results.push(await manyPulls(bench, "memory-pulls", `Resident memory, ${pulls} pulls at once`, plain));
    report(undefined, "idle again");
    await rest();
    results.push(await idle("memory-idle-again", "Resident memory, idle after all that", plain));
    await plain.stop();
    report(undefined, `${pulls} pulls at once over TLS`);
    const safe = await startOurs(programs, { folder: join(folder, "safe"), secure: true }, logs, signal);
    const title = `Resident memory, ${pulls} pulls at once over TLS`;
    results.push(await manyPulls(bench, "memory-secure-pulls", title, safe, await safe.token(["many"])));
    return results;
  },
};

async function manyPulls(
  { load }: Bench,
  name: string,
  title: string,
  server: Server,
  token?: string,
): Promise<LineResult> {
  const { digest } = await load.upload(server.url, "many", pulledBytes, token);
  return peak(name, title, server, () => load.stream(`${server.url}/v2/many/blobs/${digest}`, pulls, token));
}

async function idle(name: string, title: string, server: Server): Promise<LineResult> {
  const { now } = await memoryOf(server);
  return result(name, title, now, idleBound, `VmRSS, after ${restMs / 1000} s without a request.`);
}

/** The most that is resident while `work` goes on. */
async function peak(
  name: string,
  title: string,
  server: Server,
  work: () => Promise<unknown>,
): Promise<LineResult> {
  await forgetPeak(server);
  await work();
  return result(
    name,
    title,
    (await memoryOf(server)).peak,
    busyBound,
    "The highest VmRSS meanwhile (VmHWM).",
  );
}

function result(name: string, title: string, mebibytes: number, bound: number, measures: string): LineResult {
  const value = figure([mebibytes]);
  return {
    name,
    title,
    measures,
    unit: "MiB",
    figures: { ours: value },
    checks: [{ what: "MiB", value, bound: { kind: "at most", value: bound } }],
  };
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, restMs));
}
