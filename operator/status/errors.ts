import type { Duration } from "luxon";
import type { Reason } from "./reasons.ts";

interface Options {
  /** When to look again although no watch says so. Without it: when a watch does. */
  readonly retryAfter?: Duration;
  readonly cause?: unknown;
}

/** Reconciling cannot go on until somebody changes something. `message` is the fact; the remedy is the reason's. */
export class StalledError extends Error {
  override readonly name = "StalledError";
  readonly reason: Reason;
  readonly retryAfter: Duration | undefined;

  constructor(reason: Reason, message: string, { retryAfter, cause }: Options = {}) {
    super(message, { cause });
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** What is missing is on its way, or may be: an object that refers to it can well be applied before it. */
export class WaitingError extends Error {
  override readonly name = "WaitingError";
  readonly reason: Reason;
  readonly retryAfter: Duration | undefined;

  constructor(reason: Reason, message: string, { retryAfter, cause }: Options = {}) {
    super(message, { cause });
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}
