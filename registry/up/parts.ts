import type { DateTime } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { RegistryContent } from "../content/content.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import type { UpMetrics } from "./metrics.ts";
import type { Witness } from "./witness.ts";

/** What going up works with. */
export interface UpParts {
  readonly content: RegistryContent;
  /** Until when the link's quota is used up; `undefined` while it is not. */
  readonly linkClosedUntil: () => DateTime<true> | undefined;
  readonly board: StatusBoard;
  readonly metrics: UpMetrics;
  readonly witness: Pick<Witness, "doubts">;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: Logger;
}
