import { seconds } from "./clock.ts";
import { every } from "./every.ts";
import { ManualClock } from "./testing/manual-clock.ts";

describe("every", () => {
  test("works after each interval, until it is told to stop", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let calls = 0;
    const count = async (): Promise<void> => {
      calls++;
    };
    const running = every(seconds(5), count, clock, stop.signal);
    await clock.advance(seconds(4));
    expect(calls).toBe(0);
    await clock.advance(seconds(11));
    expect(calls).toBe(3);
    stop.abort();
    await expect(running).resolves.toBeUndefined();
  });

  test("fails as its work fails", async () => {
    const clock = new ManualClock();
    const fail = (): Promise<void> => Promise.reject(new Error("broken"));
    const running = every(seconds(5), fail, clock, new AbortController().signal);
    const outcome = running.catch((error: unknown) => error);
    await clock.advance(seconds(5));
    await expect(outcome).resolves.toMatchObject({ message: "broken" });
  });
});
