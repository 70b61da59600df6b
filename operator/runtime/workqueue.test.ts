import { milliseconds, seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { keyText, type NamespacedName } from "./kube.ts";
import { WorkQueue } from "./workqueue.ts";

const a: NamespacedName = { namespace: "edge", name: "a" };
const b: NamespacedName = { namespace: "edge", name: "b" };

function setUp(): {
  clock: ManualClock;
  queue: WorkQueue;
  told: string[];
  take: () => Promise<string>;
  waiting: () => Promise<string | undefined>;
} {
  const clock = new ManualClock();
  const told: string[] = [];
  const queue = new WorkQueue(clock, (attempt) => seconds(attempt), {
    added: (depth) => told.push(`added ${depth}`),
    taken: (depth, waited) => told.push(`taken ${depth} after ${waited}`),
    retried: () => told.push("retried"),
  });
  const take = async (): Promise<string> => keyText(await queue.take(new AbortController().signal));
  const waiting = async (): Promise<string | undefined> => {
    const impatient = new AbortController();
    const taken = queue.take(impatient.signal).then(keyText, () => undefined);
    await clock.advance(milliseconds(0));
    impatient.abort();
    return taken;
  };
  return { clock, queue, told, take, waiting };
}

describe("WorkQueue", () => {
  it("gives keys in the order in which they were added", async () => {
    const { queue, take } = setUp();
    queue.add(b);
    queue.add(a);
    expect([await take(), await take()]).toEqual(["edge/b", "edge/a"]);
  });

  it("merges a key that waits already", async () => {
    const { queue, take, waiting } = setUp();
    queue.add(a);
    queue.add({ ...a });
    await expect(take()).resolves.toBe("edge/a");
    queue.done(a);
    await expect(waiting()).resolves.toBeUndefined();
  });

  it("gives a key to whoever waits for one, first come, first served", async () => {
    const { queue, take } = setUp();
    const takers = Promise.all([take(), take()]);
    queue.add(a);
    queue.add(b);
    await expect(takers).resolves.toEqual(["edge/a", "edge/b"]);
  });

  it("never gives a key that a worker has, and remembers that it was added meanwhile, once", async () => {
    const { queue, take, waiting } = setUp();
    queue.add(a);
    await take();
    queue.add(a);
    queue.add(a);
    await expect(waiting()).resolves.toBeUndefined();
    queue.done(a);
    await expect(waiting()).resolves.toBe("edge/a");
    queue.done(a);
    await expect(waiting()).resolves.toBeUndefined();
  });

  it("gives a delayed key when its time has come, not before", async () => {
    const { clock, queue, waiting } = setUp();
    queue.addAfter(a, seconds(10));
    await clock.advance(milliseconds(9_999));
    await expect(waiting()).resolves.toBeUndefined();
    await clock.advance(milliseconds(1));
    await expect(waiting()).resolves.toBe("edge/a");
  });

  test.each([
    { first: 5, second: 10, because: "a later wish must not delay an earlier one" },
    { first: 10, second: 5, because: "an earlier wish replaces a later one" },
  ])("keeps the timer that ends first: $first s and $second s", async ({ first, second }) => {
    const { clock, queue, waiting } = setUp();
    queue.addAfter(a, seconds(first));
    queue.addAfter(a, seconds(second));
    await clock.advance(seconds(5));
    await expect(waiting()).resolves.toBe("edge/a");
    queue.done(a);
    await clock.advance(seconds(100));
    await expect(waiting()).resolves.toBeUndefined();
  });

  it("drops the timer of a key that is taken, since that look decides anew", async () => {
    const { clock, queue, take, waiting } = setUp();
    queue.addAfter(a, seconds(5));
    queue.add(a);
    await take();
    queue.done(a);
    await clock.advance(seconds(100));
    await expect(waiting()).resolves.toBeUndefined();
  });

  it("waits longer after every failure, until one look did not fail", async () => {
    const { clock, queue, take, waiting } = setUp();
    for (const wait of [1, 2, 3]) {
      queue.retry(a);
      await clock.advance(milliseconds(wait * 1000 - 1));
      await expect(waiting()).resolves.toBeUndefined();
      await clock.advance(milliseconds(1));
      await expect(take()).resolves.toBe("edge/a");
      queue.done(a);
    }
    queue.forget(a);
    queue.retry(a);
    await clock.advance(seconds(1));
    await expect(waiting()).resolves.toBe("edge/a");
  });

  it("stops waiting for a key when told so", async () => {
    const { queue } = setUp();
    const stop = new AbortController();
    const taken = queue.take(stop.signal);
    stop.abort(new Error("enough"));
    await expect(taken).rejects.toThrow("enough");
    await expect(queue.take(stop.signal)).rejects.toThrow("enough");
    queue.add(a);
    await expect(queue.take(new AbortController().signal)).resolves.toEqual(a);
  });

  it("leaves no timer behind when it stops", async () => {
    const { clock, queue } = setUp();
    queue.addAfter(a, seconds(5));
    queue.stop();
    expect(clock.sleeping).toBe(0);
  });

  it("tells how many wait and for how long", async () => {
    const { clock, queue, told, take } = setUp();
    queue.add(a);
    queue.add(b);
    await clock.advance(seconds(2));
    await take();
    queue.retry(a);
    expect(told).toEqual(["added 1", "added 2", "taken 1 after 2", "retried"]);
  });
});
