import pLimit from "p-limit";
import { TooManyAttemptsError } from "./attempts.ts";
import { networkOf } from "./network.ts";

const maxWaiting = 32;
const maxWaitingOfNetwork = 16;
/** About how long the checks that wait take. */
const retryAfterSeconds = 5;

/**
 * Does slow checks of passwords one at a time: whatever is thrown at us, one thread computes hashes, with one piece of
 * memory, and the others of the pool go on to read files. Only so many wait, and of one network at most half of them, so
 * that one source alone cannot keep the others out.
 */
export class SlowChecks {
  private readonly turns = pLimit(1);
  private readonly waiting = new Map<string, number>();

  /** @throws {TooManyAttemptsError} when too many wait already; `check` is not called then */
  async run<T>(address: string, check: () => Promise<T>): Promise<T> {
    const network = networkOf(address);
    const mine = this.waiting.get(network) ?? 0;
    if (this.turns.activeCount + this.turns.pendingCount >= maxWaiting || mine >= maxWaitingOfNetwork) {
      throw new TooManyAttemptsError(retryAfterSeconds);
    }
    this.waiting.set(network, mine + 1);
    try {
      return await this.turns(check);
    } finally {
      const left = (this.waiting.get(network) ?? 1) - 1;
      if (left === 0) this.waiting.delete(network);
      else this.waiting.set(network, left);
    }
  }
}
