import type { Clock } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import type { LinkObserver } from "../remote/metered-transport.ts";
import type { StatusBoard } from "./telling/board.ts";
import { ParentContact } from "./contact.ts";
import type { SyncMetrics } from "./telling/metrics.ts";
import type { Parent, PresentParent } from "./parent.ts";

export interface LinkParts {
  readonly connect: (parent: ParentSettings, observer: LinkObserver) => Parent;
  readonly board: StatusBoard;
  readonly metrics: SyncMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The parent, whether it is there, and how much it sent. Every answer and every byte of it is a sign of life. */
export class Link {
  readonly parent: Parent;
  readonly contact: ParentContact;
  private readonly board: StatusBoard;
  private readonly signal: AbortSignal;
  private bytes = 0;

  /** @param signal aborts when the link is used no more, and ends its questions; the parent itself is the caller's to close */
  constructor(
    settings: ParentSettings,
    { connect, board, metrics, clock, log }: LinkParts,
    signal: AbortSignal,
  ) {
    this.parent = connect(settings, {
      requested: (status) => {
        metrics.requested(status);
        if (status !== "none" && status < 500) this.contact.answered();
      },
      received: (bytes) => {
        metrics.received(bytes);
        this.bytes += bytes;
        this.contact.answered();
      },
    });
    this.board = board;
    this.signal = signal;
    this.contact = new ParentContact(this.parent, board, metrics, clock, log, signal);
  }

  /** The parent, for those who need something of it beside the syncs; `undefined` when the link is used no more. */
  get present(): PresentParent | undefined {
    const { board, contact, parent, signal } = this;
    if (signal.aborted) return undefined;
    const look = (): void => {
      contact.check().catch(() => undefined);
    };
    return { parent, away: board.contact === "offline", signal, look };
  }

  /** Bytes of all bodies so far. */
  get received(): number {
    return this.bytes;
  }
}
