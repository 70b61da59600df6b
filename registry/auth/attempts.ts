import { hash } from "node:crypto";
import type { Clock } from "../../common/clock.ts";
import { networkOf } from "./network.ts";

/** A login that was not looked at: there were too many that failed. Another one may be made after `retryAfterSeconds`. */
export class TooManyAttemptsError extends Error {
  override readonly name = "TooManyAttemptsError";
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super("too many attempts to log in");
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** So many may fail before anybody waits: clients try each login more than once, and people mistype. */
const free = 10;
const longestWaitSeconds = 60;
const forgottenAfterMs = 15 * 60 * 1000;
const maxPairs = 10_000;

interface Attempts {
  readonly count: number;
  readonly last: number;
  /** No further attempt before this; in milliseconds since 1970. */
  readonly next: number;
}

/**
 * Slows down the guessing of passwords. Failures are counted for each pair of user and address; from the eleventh on there
 * is one attempt a second, then one every two, four … seconds, up to a minute. Attempts that are refused do not count.
 *
 * # What an attacker cannot do
 * - Lock out others behind the same address (a NodePort hides many clients behind one): they are other pairs.
 * - Lock out a user from elsewhere: that is another pair too.
 * - Lock out a user behind the same address: whoever checks passwords asks here only after everything that is checked
 *   cheaply has failed. Generated passwords are always looked at (nobody guesses 256 bits, so there is nothing to slow
 *   down), and so are brought ones that were right before. What is left is the first login with a brought password while
 *   somebody behind the same address is guessing at the same user: it has to come through between the guesses.
 * - Learn which users there are: unknown ones are counted alike (S33).
 * - Start afresh by a login in between that succeeds: the count is only forgotten by time.
 * - Fill our memory: the pairs least recently seen are forgotten. Making us forget takes ten thousand attempts, so it does
 *   not pay.
 */
export class FailedAttempts {
  private readonly clock: Clock;
  /** The least recent first. */
  private readonly pairs = new Map<string, Attempts>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /**
   * Takes an attempt for one that fails, before it is looked at: of a hundred made at once all are counted.
   *
   * @throws {TooManyAttemptsError} when it must not be looked at yet
   */
  begin(user: string, address: string): void {
    const now = this.clock.now().toMillis();
    const pair = keyOf(user, address);
    const { count, next } = this.present(pair, now);
    if (now < next) throw new TooManyAttemptsError(Math.ceil((next - now) / 1000));
    const wait = count + 1 < free ? 0 : Math.min(2 ** (count + 1 - free), longestWaitSeconds) * 1000;
    this.keep(pair, { count: count + 1, last: now, next: now + wait });
  }

  /** An attempt that was begun did not fail after all. */
  succeed(user: string, address: string): void {
    const pair = keyOf(user, address);
    const { count, last } = this.present(pair, this.clock.now().toMillis());
    if (count > 0) this.keep(pair, { count: count - 1, last, next: 0 });
  }

  private present(pair: string, now: number): Attempts {
    const attempts = this.pairs.get(pair);
    const age = attempts === undefined ? 0 : now - attempts.last;
    // A clock that was set back must not keep anybody out until it is there again.
    return attempts === undefined || age >= forgottenAfterMs || age < 0
      ? { count: 0, last: now, next: 0 }
      : attempts;
  }

  private keep(pair: string, attempts: Attempts): void {
    this.pairs.delete(pair);
    this.pairs.set(pair, attempts);
    const [oldest] = this.pairs.keys();
    if (this.pairs.size > maxPairs && oldest !== undefined) this.pairs.delete(oldest);
  }
}

/** Short, however long the name is that somebody claims to have. */
function keyOf(user: string, address: string): string {
  return hash("sha256", `${networkOf(address)}\n${user}`, "base64");
}
