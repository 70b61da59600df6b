import type { Clock } from "../../../common/clock.ts";
import type { SyncStatus } from "../../../common/contract/status.ts";
import type { StatusBoard } from "./board.ts";
import type { TagCounts } from "../pass.ts";
import { RunProgress } from "./progress.ts";
import { noTags } from "../round.ts";

/** A sync that runs, as the board shows it: never older than a second. */
export class LiveRun {
  readonly begun: Pick<SyncStatus, "trigger" | "startTime">;
  readonly progress: RunProgress;
  private readonly board: StatusBoard;
  private tags: TagCounts = noTags;
  private visible = false;

  /** @param received bytes of all bodies that the parent has sent so far */
  constructor(trigger: SyncStatus["trigger"], board: StatusBoard, clock: Clock, received: () => number) {
    this.begun = { trigger, startTime: clock.now().toISO() };
    this.board = board;
    this.progress = new RunProgress(clock, received);
  }

  /** From now on the board shows it. A routine look at the parent is no news until it finds something. */
  readonly show = (tags: TagCounts = this.tags): void => {
    this.tags = tags;
    this.visible = true;
    this.refresh();
  };

  /** Does the work of the sync, and keeps the board up to date meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const following = this.progress.follow(this.refresh, over.signal);
    try {
      return await work();
    } finally {
      over.abort();
      await following;
    }
  }

  private readonly refresh = (): void => {
    if (!this.visible) return;
    const { begun, tags } = this;
    const sync = { ...begun, state: "Syncing", tags, ...this.progress.at(tags), failures: [] } as const;
    this.board.update({ copying: true, sync });
  };
}
