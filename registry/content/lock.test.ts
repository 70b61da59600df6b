import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { seconds } from "../../common/clock.ts";
import { createLog } from "../../common/log.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { DataInUseError, holdLock, openWhenFree } from "./lock.ts";

describe("openWhenFree", () => {
  const clock = new ManualClock();
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "lock-"));
    path = join(directory, "lock");
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const open = (signal = new AbortController().signal): Promise<() => void> =>
    openWhenFree(async () => holdLock(path), seconds(60), clock, silentLog, signal);

  test("opens what nobody uses at once", async () => {
    const release = await open();
    expect(() => holdLock(path)).toThrow(DataInUseError);
    release();
  });

  test("waits for a predecessor that lets its last requests end, as a pod's does", async () => {
    const release = holdLock(path);
    const opened = open();
    await clock.advance(seconds(20));
    release();
    await clock.advance(seconds(1));
    const ours = await opened;
    expect(() => holdLock(path)).toThrow(DataInUseError);
    ours();
  });

  test("gives up on one that goes on, because two writers would ruin the data", async () => {
    const release = holdLock(path);
    const opened = open();
    opened.catch(() => undefined);
    await clock.advance(seconds(61));
    await expect(opened).rejects.toThrow(DataInUseError);
    release();
  });

  test("says who goes on, as ACR does", async () => {
    const release = holdLock(path, undefined, "pod-1");
    const lines: object[] = [];
    const log = createLog(
      "registry",
      "Information",
      new Writable({
        write: (line: Buffer, _, done) => {
          lines.push(JSON.parse(line.toString()) as object);
          done();
        },
      }),
    ).logger;
    const { signal } = new AbortController();
    const opened = openWhenFree(async () => holdLock(path), seconds(60), clock, log, signal);
    opened.catch(() => undefined);
    await clock.advance(seconds(61));
    await expect(opened).rejects.toMatchObject({ holder: "pod-1" });
    expect(lines).toMatchObject([
      { level: "info", instance: "pod-1" },
      { level: "error", code: "ALREADY_ACTIVATED", instance: "pod-1" },
    ]);
    release();
  });

  test("takes nobody for the holder who was it before", () => {
    holdLock(path, undefined, "pod-1")();
    const release = holdLock(path);
    expect(() => holdLock(path)).toThrow("another process uses the data");
    release();
    const again = holdLock(path, undefined, "pod-2");
    expect(() => holdLock(path)).toThrow('another instance, "pod-2", uses the data');
    again();
  });

  test("reads no name out of what is none", async () => {
    const release = holdLock(path);
    for (const text of ["", "[]", "null", '{"instance":1}', '{"instance":""}']) {
      await writeFile(join(directory, "activation.json"), text);
      expect(() => holdLock(path)).toThrow("another process uses the data");
    }
    release();
  });

  test("stops waiting when it is told to stop", async () => {
    const release = holdLock(path);
    const stop = new AbortController();
    const opened = open(stop.signal);
    opened.catch(() => undefined);
    await clock.advance(seconds(1));
    stop.abort(new Error("stop"));
    await expect(opened).rejects.toThrow("stop");
    release();
  });
});
