import type { DateTime } from "luxon";
import type { Blackout } from "../../../common/blackouts.ts";
import type { Postponement } from "../../../common/contract/status.ts";
import type { Logger } from "../../../common/log.ts";
import type { StatusBoard } from "../telling/board.ts";

/** Says why nothing is synced for now, and until when: on the board, and once in the log. */
export class Postponed {
  private readonly board: StatusBoard;
  private readonly log: Logger;

  constructor(board: StatusBoard, log: Logger) {
    this.board = board;
    this.log = log;
  }

  byQuota(end: DateTime<true>): void {
    const message = "The link's quota is used up. Raise limits.quota to sync before the next period.";
    this.tell({ reason: "LinkQuota", message, until: end.toISO() });
  }

  /** @param blackout that keeps the next sync from beginning; absent: nothing does */
  byBlackout(blackout: Blackout | undefined): void {
    const message = "A blackout of the policy lasts. Ask for a resync to sync before it ends.";
    this.tell(
      blackout === undefined ? undefined : { reason: "Blackout", message, until: blackout.end.toISO() },
    );
  }

  private tell(postponement: Postponement | undefined): void {
    const { postponed } = this.board.current;
    if (postponed?.reason === postponement?.reason && postponed?.until === postponement?.until) return;
    this.board.update({ postponed: postponement });
    if (postponement === undefined) return;
    const { reason, until } = postponement;
    this.log.info("syncs wait, what is here is served", { reason, until });
  }
}
