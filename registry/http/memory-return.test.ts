import { seconds } from "../../common/clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MemoryReturn } from "./memory-return.ts";

const mebibyte = 1024 ** 2;

/** Collections after each half of a minute, at the end of which that was so. */
async function collections(
  moments: readonly { readonly running?: number; readonly begun: number; readonly resident: number }[],
): Promise<readonly number[]> {
  const clock = new ManualClock();
  const stop = new AbortController();
  let [now, collected] = [{ begun: 0, resident: 0 }, 0];
  const memory = new MemoryReturn({
    activity: () => ({ running: 0, ...now }),
    resident: () => now.resident * mebibyte,
    collect: () => {
      collected++;
      now = { ...now, resident: 80 };
    },
    clock,
    log: silentLog,
  });
  const running = memory.run(stop.signal);
  const counts: number[] = [];
  for (const moment of moments) {
    now = moment;
    for (let i = 0; i < 3; i++) await clock.advance(seconds(10));
    counts.push(collected);
  }
  stop.abort();
  await running;
  return counts;
}

test.each([
  {
    because: "the start leaves something too",
    moments: [
      { begun: 0, resident: 85 },
      { begun: 0, resident: 85 },
    ],
    counts: [0, 1],
  },
  {
    because: "while anybody asks for something now and then, nobody must wait for it",
    moments: [
      { begun: 1, resident: 85 },
      { begun: 1, running: 1, resident: 120 },
      { begun: 2, resident: 120 },
      { begun: 3, resident: 120 },
      { begun: 3, resident: 120 },
      { begun: 3, resident: 110 },
    ],
    counts: [0, 0, 0, 0, 0, 1],
  },
  {
    because: "a little is not worth it",
    moments: [
      { begun: 0, resident: 85 },
      { begun: 0, resident: 85 },
      { begun: 0, resident: 82 },
      { begun: 0, resident: 83 },
      { begun: 0, resident: 82 },
    ],
    counts: [0, 1, 1, 1, 1],
  },
  {
    because: "what grows later goes again, counted from the least there was",
    moments: [
      { begun: 0, resident: 85 },
      { begun: 0, resident: 85 },
      { begun: 0, resident: 76 },
      { begun: 0, resident: 81 },
    ],
    counts: [0, 1, 1, 2],
  },
])("memory is given back when the registry rests: $because", async ({ moments, counts }) => {
  await expect(collections(moments)).resolves.toEqual(counts);
});
