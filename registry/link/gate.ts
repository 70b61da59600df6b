import type { Urgency } from "./limiter.ts";

/** Bytes that moved between us and the parent. */
export interface LinkTraffic {
  readonly received: number;
  readonly sent: number;
}

/** What every flow between us and the parent passes: downloads, uploads, questions, whoever wants them. */
export interface LinkGate {
  /** To be asked before each request, and within a body before more of it is read. @throws {LinkQuotaError} */
  assertOpen(): void;
  /** Counts what has moved, and resolves when more may. @throws the signal's reason */
  passed(traffic: LinkTraffic, urgency: Urgency, signal?: AbortSignal): Promise<void>;
  /** Counts what has moved for nobody who could wait, such as the end of a connection. */
  passedUnasked(traffic: LinkTraffic): void;
}
