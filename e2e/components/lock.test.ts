import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { milliseconds, seconds, systemClock } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { withLock } from "./lock.ts";
import { makeFolder } from "./testing/fakes.ts";

const never = new AbortController().signal;
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await makeFolder();
  file = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

test("one works at a time, the next as soon as it is done", async () => {
  const clock = new ManualClock();
  const events: string[] = [];
  const first = Promise.withResolvers<undefined>();
  const one = withLock(file, clock, never, fail, async () => {
    events.push("one begins");
    await first.promise;
    events.push("one ends");
  });
  let waits = 0;
  const waiting = (): void => {
    waits++;
  };
  const two = withLock(file, clock, never, waiting, async () => {
    events.push("two");
    return 2;
  });
  await clock.advance(seconds(1));
  expect(waits).toBeGreaterThan(0);
  first.resolve(undefined);
  await one;
  await clock.advance(seconds(1));
  await expect(two).resolves.toBe(2);
  expect(events).toStrictEqual(["one begins", "one ends", "two"]);
});

test("work that fails gives the lock back", async () => {
  const boom = new Error("boom");
  await expect(withLock(file, systemClock, never, fail, () => Promise.reject(boom))).rejects.toBe(boom);
  await expect(withLock(file, systemClock, never, fail, async () => 1)).resolves.toBe(1);
});

test("whoever waits can be told to stop", async () => {
  const stop = new AbortController();
  await withLock(file, systemClock, never, fail, async () => {
    const waiting = withLock(
      file,
      systemClock,
      stop.signal,
      () => undefined,
      async () => 1,
    );
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

test("a lock ends with the process that holds it, however that ends", async () => {
  const holder = spawn(process.execPath, [
    "--no-warnings",
    "--input-type=module",
    "--eval",
    holdForever(file),
  ]);
  try {
    await once(holder.stdout, "data");
    const waiting = Promise.withResolvers<undefined>();
    const taken = withLock(
      file,
      { ...systemClock, sleep: () => systemClock.sleep(milliseconds(5)) },
      never,
      () => {
        waiting.resolve(undefined);
      },
      async () => "taken over",
    );
    await waiting.promise;
    holder.kill("SIGKILL");
    await expect(taken).resolves.toBe("taken over");
  } finally {
    holder.kill("SIGKILL");
  }
});

function holdForever(path: string): string {
  const lock = new URL("lock.ts", import.meta.url).href;
  const clock = new URL("../../common/clock.ts", import.meta.url).href;
  return `
    import { withLock } from ${JSON.stringify(lock)};
    import { systemClock } from ${JSON.stringify(clock)};
    await withLock(${JSON.stringify(path)}, systemClock, new AbortController().signal, () => {}, async () => {
      console.log("held");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
}

function fail(): never {
  throw new Error("nobody holds the lock");
}
