import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { connectionDetail } from "../../common/contract/status.ts";
import type { StatusBoard } from "./telling/board.ts";
import { ForbiddenAddressError } from "../remote/errors.ts";
import { connectionFault, isLinkFault, type ParentFault } from "./faults.ts";
import type { SyncMetrics } from "./telling/metrics.ts";
import type { Parent } from "./parent.ts";

/** Knows whether the parent is there, and says so once per change, not once per try (T57). */
export class ParentContact {
  private readonly parent: Parent;
  private readonly board: StatusBoard;
  private readonly metrics: Pick<SyncMetrics, "reachable">;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly signal: AbortSignal;
  private asking: Promise<boolean> | undefined;
  private lastAnswer = -Infinity;
  /** The code of the fault that the board shows. */
  private told: string | undefined;

  constructor(
    parent: Parent,
    board: StatusBoard,
    metrics: Pick<SyncMetrics, "reachable">,
    clock: Clock,
    log: Logger,
    signal: AbortSignal,
  ) {
    this.parent = parent;
    this.board = board;
    this.metrics = metrics;
    this.clock = clock;
    this.log = log;
    this.signal = signal;
  }

  /** The parent has just answered something, or sent some bytes. */
  answered(): void {
    const now = this.clock.steady();
    // Called for every chunk of every transfer.
    if (now - this.lastAnswer >= 1000) this.board.touch();
    this.lastAnswer = now;
    this.found("online");
  }

  /** Asks the parent whether it is there; those who ask at once share the answer. @throws the signal's reason */
  check(): Promise<boolean> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  /** Asks whenever nothing was heard for `interval`, which may change. @throws the signal's reason */
  async watch(interval: () => Duration): Promise<void> {
    for (;;) {
      const silence = this.clock.steady() - this.lastAnswer;
      if (silence >= interval().toMillis()) await this.check();
      await this.clock.sleep(interval(), this.signal);
    }
  }

  private async ask(): Promise<boolean> {
    let fault: ParentFault | undefined;
    try {
      await this.parent.ping(this.signal);
    } catch (error) {
      this.signal.throwIfAborted();
      fault = connectionFault(error);
      if (isLinkFault(error)) {
        this.tell(fault);
        this.found("offline", error);
        return false;
      }
      // Nobody was asked. What is wrong is for the pass to tell.
      if (error instanceof ForbiddenAddressError) {
        this.found("online");
        return true;
      }
      // Whatever else it said, it is there. What it means is for the pass that needs more than a sign of life.
    }
    this.answered();
    this.tell(fault);
    return true;
  }

  /** The first sentence of each kind stays: the same outage looks a little different at every try. */
  private tell(fault: ParentFault | undefined): void {
    if (this.told === fault?.code) return;
    this.told = fault?.code;
    this.board.setFault(connectionDetail, fault);
  }

  private found(contact: "online" | "offline", error?: unknown): void {
    this.metrics.reachable(contact === "online");
    if (this.board.contact === contact) return;
    if (contact === "online") this.tell(undefined);
    if (contact === "online") this.log.info("the parent answers");
    else this.log.warn("the parent cannot be reached; serving what is here", { error: messageOf(error) });
    this.board.update({ contact });
  }
}
