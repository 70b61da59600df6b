import { endsPass, isLinkFault } from "../faults.ts";
import type { Limit } from "./flights.ts";
import { Slots } from "./slots.ts";

/**
 * So many questions (what a tag is, what is attached, manifests) may be open for each transfer: they take a round trip
 * each and next to nothing of the link, and transfers wait for what they bring.
 */
const questionsPerTransfer = 8;

/** How many requests of a pass may be under way at once, and when one of them ends it. */
export class Lanes {
  /** Aborts with that of the pass, or when a request fails as all others would: better than once per tag. */
  readonly signal: AbortSignal;
  /** How many questions may be open at once. */
  readonly questions: number;
  private readonly parentGone: () => Promise<boolean>;
  private readonly stop = new AbortController();
  private readonly transfer: Slots;
  private readonly question: Slots;

  /** @param concurrency of transfers @param parentGone asks whether the parent is gone altogether */
  constructor(concurrency: number, parentGone: () => Promise<boolean>, signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.stop.signal]);
    this.questions = questionsPerTransfer * concurrency;
    this.parentGone = parentGone;
    this.transfer = new Slots(concurrency);
    // A parent that refuses the first is not asked all the others; and who allows it one thing at a time means it.
    this.question = concurrency === 1 ? this.transfer : new Slots(concurrency, this.questions);
  }

  readonly limit: Limit = (task, weight) =>
    weight === undefined
      ? this.question.run(() => this.guarded(task), 0)
      : this.transfer.run(() => this.guarded(task), weight);

  private async guarded<T>(task: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      this.signal.throwIfAborted();
      const gone = isLinkFault(error) && (await this.parentGone());
      if (gone || endsPass(error)) this.stop.abort(error);
      throw error;
    }
  }
}
