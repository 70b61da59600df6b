import type { Duration } from "luxon";
import type { Backoff } from "../../common/backoff.ts";
import type { Clock } from "../../common/clock.ts";
import { keyText, type NamespacedName } from "./kube.ts";
import type { QueueMetrics } from "./metrics.ts";

interface Entry {
  readonly key: NamespacedName;
  readonly since: number;
}

interface Timer {
  readonly at: number;
  readonly stop: AbortController;
}

/**
 * The keys that need a look, in the order in which they came to need it.
 *
 * # Guarantees
 * - A key waits at most once, and is never with two workers at once: one that is added while a worker has it waits
 *   until that worker is done.
 * - A key has at most one timer: the one that ends first. Taking the key drops it, since whoever takes a key decides
 *   anew when it is next needed.
 */
export class WorkQueue {
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly metrics: QueueMetrics;
  private readonly waiting = new Map<string, Entry>();
  private readonly taken = new Set<string>();
  private readonly addedAgain = new Map<string, NamespacedName>();
  private readonly timers = new Map<string, Timer>();
  private readonly failures = new Map<string, number>();
  private takers: ((key: NamespacedName) => void)[] = [];

  constructor(clock: Clock, backoff: Backoff, metrics: QueueMetrics) {
    this.clock = clock;
    this.backoff = backoff;
    this.metrics = metrics;
  }

  /** `key` needs a look now. */
  add(key: NamespacedName): void {
    const text = keyText(key);
    if (this.waiting.has(text)) return;
    if (this.taken.has(text)) {
      this.addedAgain.set(text, key);
      return;
    }
    this.waiting.set(text, { key, since: this.clock.now().toMillis() });
    this.metrics.added(this.waiting.size);
    this.takers.shift()?.(this.next());
  }

  /** `key` needs a look once `delay` has passed, or sooner if it has a timer that ends sooner. */
  addAfter(key: NamespacedName, delay: Duration): void {
    const text = keyText(key);
    const at = this.clock.now().toMillis() + delay.toMillis();
    const earlier = this.timers.get(text);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.stop.abort();
    const timer: Timer = { at, stop: new AbortController() };
    this.timers.set(text, timer);
    this.clock.sleep(delay, timer.stop.signal).then(
      () => {
        this.timers.delete(text);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** `key` failed once more: it needs a look after the backoff for that many failures in a row. */
  retry(key: NamespacedName): void {
    const failures = (this.failures.get(keyText(key)) ?? 0) + 1;
    this.failures.set(keyText(key), failures);
    this.metrics.retried();
    this.addAfter(key, this.backoff(failures));
  }

  /** `key` did not fail: its next failure is a first one. */
  forget(key: NamespacedName): void {
    this.failures.delete(keyText(key));
  }

  /**
   * The next key, as soon as there is one. It must be given back by `done`.
   *
   * @throws the signal's reason
   */
  async take(signal: AbortSignal): Promise<NamespacedName> {
    signal.throwIfAborted();
    if (this.waiting.size > 0) return this.next();
    return await new Promise((resolve, reject) => {
      const stop = (): void => {
        this.takers = this.takers.filter((other) => other !== taker);
        reject(signal.reason as Error);
      };
      const taker = (key: NamespacedName): void => {
        signal.removeEventListener("abort", stop);
        resolve(key);
      };
      signal.addEventListener("abort", stop, { once: true });
      this.takers.push(taker);
    });
  }

  /** The worker that took `key` is through with it. */
  done(key: NamespacedName): void {
    const text = keyText(key);
    this.taken.delete(text);
    const again = this.addedAgain.get(text);
    this.addedAgain.delete(text);
    if (again !== undefined) this.add(again);
  }

  /** Drops all timers, so that nothing of the queue keeps a program alive. */
  stop(): void {
    for (const { stop } of this.timers.values()) stop.abort();
    this.timers.clear();
  }

  private next(): NamespacedName {
    const [first] = this.waiting;
    if (first === undefined) throw new RangeError("no key waits");
    const [text, entry] = first;
    this.waiting.delete(text);
    this.taken.add(text);
    this.timers.get(text)?.stop.abort();
    this.timers.delete(text);
    this.metrics.taken(this.waiting.size, (this.clock.now().toMillis() - entry.since) / 1000);
    return entry.key;
  }
}
