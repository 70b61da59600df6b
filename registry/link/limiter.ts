import { milliseconds, type Clock } from "../../common/clock.ts";

/** `small`: a question, a manifest, a list, which others wait for. `bulk`: the content of blobs. */
export type Urgency = "small" | "bulk";

/** What was saved up while nothing moved: 0.5 s of the rate, and so 1.7 % of any 30 s. */
const burstSeconds = 0.5;
/** What one flow gets at its turn. At the lowest rate that may be set it is as much as can be saved up. */
const turnBytes = 8 * 1024;
/** After so many turns of small things a bulk one has its: neither ever starves. */
const smallTurns = 3;
/** Timers that are shorter cost more than they are worth. */
const shortestPauseMs = 5;
/** The rate may change meanwhile with the time of day. */
const longestPauseMs = 1000;

interface Payment {
  left: number;
  readonly paid: () => void;
}

/**
 * Holds all flows of a link together to a rate. Whoever has moved bytes pays for them before moving more.
 *
 * # Guarantees
 * - In any time what is paid for is at most the rate times the time, and half a second of the rate; 8 KiB at a turn.
 * - Flows of the same urgency get equal shares, small ones go first, and bulk gets a quarter even then.
 * - Setting the system's clock changes nothing.
 * # Caveats
 * Bytes arrive before they are paid for: each flow can be ahead by what its buffers hold.
 */
export class LinkLimiter {
  private readonly clock: Clock;
  private readonly rate: () => number | undefined;
  private readonly waiting: Readonly<Record<Urgency, Payment[]>> = { small: [], bulk: [] };
  private saved = 0;
  private savedAt: number;
  private smallSince = 0;
  private pumping = false;
  private pause: AbortController | undefined;

  /** @param rate in bytes per second, asked anew each time; `undefined`: no limit */
  constructor(clock: Clock, rate: () => number | undefined) {
    this.clock = clock;
    this.rate = rate;
    this.savedAt = clock.steady();
  }

  /** Resolves once `bytes`, which have moved, are paid for. @throws the signal's reason; they are paid for all the same */
  async pay(bytes: number, urgency: Urgency, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (bytes <= 0) return;
    const queue = this.waiting[urgency];
    if (queue.length === 0 && this.waiting.small.length === 0 && this.rate() === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const payment: Payment = {
        left: bytes,
        paid: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      const stop = (): void => {
        queue.splice(queue.indexOf(payment), 1);
        this.saved -= payment.left;
        this.pause?.abort();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
      queue.push(payment);
      this.settle();
      if (!this.pumping) void this.pump();
      // It may have to wait less than whoever is waited for now.
      else if (payment.left > 0 && urgency === "small") this.pause?.abort();
    });
  }

  /** The rate is another: what waits by the old one looks again. */
  changed(): void {
    this.pause?.abort();
  }

  /** Lets payments through as time brings them means. */
  private async pump(): Promise<void> {
    this.pumping = true;
    for (let wait = this.settle(); wait > 0; wait = this.settle()) {
      this.pause = new AbortController();
      await this.clock.sleep(milliseconds(wait), this.pause.signal).catch(() => undefined);
    }
    this.pumping = false;
  }

  /** Grants what can be granted now. Returns for how many milliseconds there is no more, 0 if nobody waits. */
  private settle(): number {
    const rate = this.rate();
    this.save(rate);
    for (let urgency = this.next(); urgency !== undefined; urgency = this.next()) {
      const queue = this.waiting[urgency];
      const payment = queue[0];
      if (payment === undefined) break;
      const turn = rate === undefined ? payment.left : Math.min(payment.left, turnBytes);
      if (rate !== undefined && this.saved < turn) {
        const missing = Math.ceil((1000 * (turn - this.saved)) / rate);
        return Math.min(Math.max(missing, shortestPauseMs), longestPauseMs);
      }
      if (rate !== undefined) this.saved -= turn;
      this.smallSince = urgency === "small" ? this.smallSince + 1 : 0;
      payment.left -= turn;
      queue.shift();
      if (payment.left > 0) queue.push(payment);
      else payment.paid();
    }
    return 0;
  }

  /** Whose turn it is. */
  private next(): Urgency | undefined {
    const { small, bulk } = this.waiting;
    if (bulk.length > 0 && (small.length === 0 || this.smallSince >= smallTurns)) return "bulk";
    return small.length > 0 ? "small" : undefined;
  }

  private save(rate: number | undefined): void {
    const now = this.clock.steady();
    const passed = Math.max(0, now - this.savedAt);
    this.savedAt = now;
    // Without a limit there is nothing to owe and nothing to save.
    this.saved = rate === undefined ? 0 : Math.min(this.saved + (rate * passed) / 1000, rate * burstSeconds);
  }
}
