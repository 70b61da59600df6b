import * as fc from "fast-check";
import { milliseconds, seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { LinkLimiter, type Urgency } from "./limiter.ts";

const chunk = 64 * 1024;

interface Paid {
  /** In milliseconds of the steady clock. */
  readonly at: number;
  readonly bytes: number;
}

/** A limiter with flows that always have more to pay for, and what they have paid. */
class Rig {
  readonly clock = new ManualClock();
  readonly stop = new AbortController();
  rate: number | undefined;
  readonly limiter = new LinkLimiter(this.clock, () => this.rate);
  private readonly flows: Promise<void>[] = [];

  constructor(rate: number | undefined) {
    this.rate = rate;
  }

  /** @param rest between two payments, in milliseconds */
  flow(urgency: Urgency, bytes = chunk, rest = 0): Paid[] {
    const paid: Paid[] = [];
    const run = async (): Promise<void> => {
      while (!this.stop.signal.aborted) {
        await this.limiter.pay(bytes, urgency, this.stop.signal);
        paid.push({ at: this.clock.steady(), bytes });
        if (rest > 0) await this.clock.sleep(milliseconds(rest), this.stop.signal);
      }
    };
    this.flows.push(run().catch(() => undefined));
    return paid;
  }

  async end(): Promise<void> {
    this.stop.abort(new Error("the test is over"));
    await Promise.all(this.flows);
  }
}

const total = (paid: readonly Paid[]): number => paid.reduce((sum, { bytes }) => sum + bytes, 0);

describe("LinkLimiter", () => {
  let rig: Rig;

  afterEach(() => rig.end());

  test.each([
    { rate: 16_384, flows: 1 },
    { rate: 125_000, flows: 3 },
    { rate: 1_000_000, flows: 8 },
    { rate: 50_000_000, flows: 4 },
  ])(
    "T40 holds $flows flows together to $rate bytes per second, within a twentieth over 30 s",
    async ({ rate, flows }) => {
      rig = new Rig(rate);
      const size = Math.min(chunk, rate / 16);
      const paid = Array.from({ length: flows }, () => rig.flow("bulk", size));
      await rig.clock.advance(seconds(30));
      const bytes = total(paid.flat());
      expect(bytes).toBeGreaterThan(0.95 * 30 * rate);
      expect(bytes).toBeLessThan(1.05 * 30 * rate);
      // Fair: nobody is further than one payment from another.
      const each = paid.map(total);
      expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(size);
    },
  );

  test("does not let what was not used be used later, but for half a second of it", async () => {
    rig = new Rig(100_000);
    await rig.clock.advance(seconds(3600));
    const paid = rig.flow("bulk", 1000);
    await rig.clock.advance(seconds(1));
    expect(total(paid)).toBeLessThanOrEqual(151_000);
    expect(total(paid)).toBeGreaterThan(145_000);
  });

  test("T35 lets a question past the transfers that wait", async () => {
    rig = new Rig(100_000);
    for (let n = 0; n < 8; n++) rig.flow("bulk");
    await rig.clock.advance(seconds(10));
    let answered = false;
    const asking = rig.limiter.pay(700, "small").then(() => {
      answered = true;
    });
    await rig.clock.advance(milliseconds(100));
    expect(answered).toBe(true);
    await asking;
  });

  test("starves no transfer, however many questions there are", async () => {
    rig = new Rig(100_000);
    const bulk = rig.flow("bulk", 8192);
    for (let n = 0; n < 20; n++) rig.flow("small", 8192);
    await rig.clock.advance(seconds(60));
    expect(total(bulk)).toBeGreaterThan(0.2 * 60 * 100_000);
  });

  test.each([
    { from: 50_000, to: 500_000, because: "more" },
    { from: 500_000, to: 50_000, because: "less" },
    { from: undefined, to: 50_000, because: "some at last" },
  ])("T40 takes on another rate at once, for what waits as well: $because", async ({ from, to }) => {
    rig = new Rig(from);
    const paid = rig.flow("bulk", 10_000, 10);
    await rig.clock.advance(seconds(5));
    rig.rate = to;
    rig.limiter.changed();
    paid.length = 0;
    await rig.clock.advance(seconds(10));
    expect(total(paid)).toBeGreaterThan(0.9 * 10 * to);
    expect(total(paid)).toBeLessThanOrEqual(10.5 * to);
  });

  test("lets all go at once when the limit is taken away", async () => {
    rig = new Rig(16_384);
    const waiting = [1, 2, 3].map(() => rig.limiter.pay(10_000_000, "bulk"));
    rig.rate = undefined;
    rig.limiter.changed();
    await expect(Promise.all(waiting)).resolves.toHaveLength(3);
  });

  test("sees by itself, within a second, that the rate is another now", async () => {
    rig = new Rig(16_384);
    const waiting = rig.limiter.pay(1_000_000, "bulk");
    rig.rate = 10_000_000;
    await rig.clock.advance(seconds(1.2));
    await expect(waiting).resolves.toBeUndefined();
  });

  test("T58 does not mind that the clock is set", async () => {
    rig = new Rig(100_000);
    const paid = rig.flow("bulk", 1000);
    for (const time of ["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]) {
      paid.length = 0;
      rig.clock.set(time);
      await rig.clock.advance(seconds(10));
      expect(total(paid)).toBeGreaterThan(0.95 * 10 * 100_000);
      expect(total(paid)).toBeLessThan(1.05 * 10 * 100_000);
    }
  });

  test("one that goes away keeps nobody waiting, and what it moved is paid for", async () => {
    rig = new Rig(100_000);
    const gone = new AbortController();
    const first = rig.limiter.pay(200_000, "bulk", gone.signal);
    let done = false;
    const second = rig.limiter.pay(10_000, "bulk").then(() => {
      done = true;
    });
    gone.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    await rig.clock.advance(seconds(1.9));
    expect(done).toBe(false);
    await rig.clock.advance(seconds(0.5));
    expect(done).toBe(true);
    await second;
    expect(rig.clock.sleeping).toBe(0);
    await expect(rig.limiter.pay(1, "bulk", gone.signal)).rejects.toThrow("gone");
  });

  test("in no time is there more than the rate and half a second of it, whatever the flows do", async () => {
    const flow = fc.record({
      urgency: fc.constantFrom<Urgency>("small", "bulk"),
      bytes: fc.integer({ min: 1024, max: 8192 }),
      rest: fc.integer({ min: 0, max: 700 }),
    });
    const rates = fc.integer({ min: 16_384, max: 400_000 });
    await fc.assert(
      fc.asyncProperty(rates, fc.array(flow, { minLength: 1, maxLength: 6 }), async (rate, flows) => {
        rig = new Rig(rate);
        const paid = flows.map(({ urgency, bytes, rest }) => rig.flow(urgency, bytes, rest));
        await rig.clock.advance(seconds(3));
        await rig.end();
        const all = paid.flat().sort((a, b) => a.at - b.at);
        for (let first = 0; first < all.length; first += 7) {
          let bytes = 0;
          for (const { at, bytes: more } of all.slice(first)) {
            bytes += more;
            // Each flow's first payment of the window may have been paid for in part before it.
            const begun = flows.length * 8192;
            expect(bytes).toBeLessThanOrEqual((rate * (at - all[first]!.at)) / 1000 + rate / 2 + begun + 1);
          }
        }
      }),
      { numRuns: 15 },
    );
  });
});
