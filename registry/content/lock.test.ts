import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../common/clock.ts";
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
