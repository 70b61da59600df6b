import type { Logger } from "../../common/log.ts";
import type { OutboxEntry } from "../content/outbox/entry.ts";
import type { OutboxCourse } from "../content/outbox/course.ts";

/**
 * Knows from outside of the volume how far the outbox had come before this start: so a volume that was put back from a
 * backup is told from one that is as it was left. Until it has heard that, what waited at the start is doubtful.
 */
export class Witness {
  private readonly course: OutboxCourse;
  private readonly log: Logger;
  private readonly lastId: number;
  private awaited: boolean;

  /** @param awaited whether there is somebody outside who will say it */
  constructor(course: OutboxCourse, awaited: boolean, log: Logger) {
    this.course = course;
    this.awaited = awaited;
    this.log = log;
    this.lastId = course.lastId;
  }

  /** How far it has come, for whoever remembers that outside. */
  get count(): number {
    return this.course.count;
  }

  /** Whether `entry` may be from a backup that nobody has told us of yet. */
  doubts({ id }: Pick<OutboxEntry, "id">): boolean {
    return this.awaited && id <= this.lastId;
  }

  /** @param count how far it had come as somebody outside remembers; `undefined`: nobody does */
  async heard(count: number | undefined): Promise<void> {
    if (count !== undefined && (await this.course.putBack(count, this.lastId))) {
      this.log.warn(
        "the volume is an older state of itself: what waits in it to go up gives way to what the parent has now",
      );
    }
    this.awaited = false;
  }
}
