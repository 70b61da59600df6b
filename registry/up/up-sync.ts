import { DateTime, type Duration } from "luxon";
import { exponential } from "../../common/backoff.ts";
import { milliseconds, seconds } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { UpStatus } from "../../common/contract/up-status.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { OutboxEntry } from "../content/outbox/entry.ts";
import type { ParentFault } from "../sync/faults.ts";
import { longer, longestSleep, shorter } from "../sync/schedule/durations.ts";
import { within } from "../sync/round.ts";
import { placeOfParent } from "../sync/parent.ts";
import type { ParentTag, Upward, UpwardWork } from "../sync/upward.ts";
import { Wakeable } from "../sync/wakeable.ts";
import { parseSchedule, type SyncSlot } from "../sync/schedule/window.ts";
import { Drain } from "./drain.ts";
import type { UpParts } from "./parts.ts";
import { Rests } from "./rests.ts";
import { shiftOf } from "./shift.ts";
import { upStatusOf } from "./status.ts";

/** Between two looks at whether the parent is there, or the status at what waits. */
const pause = seconds(1);
const longestPause = seconds(60);
const longestRest = seconds(300);

/**
 * Sends what the outbox holds, in its order, when the schedule, the link's quota and the parent allow it. One entry that
 * fails keeps no other waiting; one that the parent refuses for good is set aside, by name, until a person asks for a
 * resync. The outbox never forgets what the parent has not got.
 */
export class UpSync implements Upward {
  private readonly parts: UpParts;
  private readonly sleeper: Wakeable;
  private readonly rests: Rests;
  /** How often a person wanted everything tried, for how many of these everything was brought back, and how many are over. */
  private readonly requests = { made: 0, taken: 0, met: 0 };
  /** Of the parent as a whole: it keeps everything from going up. */
  private fault: ParentFault | undefined;
  /** The newest request to drain: each has everything tried once, also what was set aside. */
  private drainRequest: string | undefined;
  private shownAt = Number.NEGATIVE_INFINITY;
  private setbacks = 0;

  constructor(parts: UpParts) {
    this.parts = parts;
    this.sleeper = new Wakeable(parts.clock);
    this.rests = new Rests(parts.clock, exponential(seconds(1), longestRest, parts.random));
  }

  reconsider(): void {
    this.sleeper.wake();
  }

  hurry(): void {
    this.requests.made += 1;
    this.sleeper.wake();
  }

  private get hurried(): boolean {
    return this.requests.made > this.requests.met;
  }

  holds(repository: RepositoryName, tag: Tag, digest: Digest): boolean {
    return this.parts.content.outbox.holds(repository, tag, digest);
  }

  noteParent(tags: readonly ParentTag[]): Promise<void> {
    return this.parts.content.outbox.noteParent(
      tags.map(({ repository, tag, root }) => ({ repository, tag, digest: root.digest })),
    );
  }

  async run(work: UpwardWork, signal: AbortSignal): Promise<never> {
    const { board, content } = this.parts;
    const { parent } = work.settings();
    if (parent !== undefined) await content.outbox.attach(placeOfParent(parent));
    const unsubscribe = content.outbox.subscribe(() => {
      this.sleeper.wake();
    });
    try {
      for (;;) await this.turn(work, signal);
    } finally {
      unsubscribe();
      board.update({ sending: false, up: undefined });
      board.setFault("Up", undefined);
    }
  }

  private async turn(work: UpwardWork, signal: AbortSignal): Promise<void> {
    const { clock, content } = this.parts;
    const { drain } = work.settings();
    if (drain !== undefined && drain !== this.drainRequest) this.requests.made += 1;
    this.drainRequest = drain;
    // One more that is made meanwhile is for the next turn.
    const { made } = this.requests;
    if (made > this.requests.taken) await this.retryAll();
    this.requests.taken = made;
    const first = await content.outbox.next(0);
    if (first === undefined) {
      this.requests.met = made;
      this.fault = undefined;
      this.show();
      await this.sleeper.sleep(longestSleep, signal);
      return;
    }
    this.showSometimes();
    const slot = this.slot(work.settings(), first);
    const wait = this.untilOpen(slot);
    if (wait.toMillis() > 0) {
      // However much clients push meanwhile, that is looked at once a second.
      await clock.sleep(shorter(pause, wait), signal);
      this.showSometimes();
      await this.sleeper.sleep(shorter(wait, longestSleep), signal);
    } else if (await work.online()) {
      await this.drain(work, slot, signal, made);
    } else {
      await clock.sleep(this.interval(work.settings()), signal);
    }
  }

  /** @param made how many requests it meets */
  private async drain(
    work: UpwardWork,
    slot: SyncSlot | undefined,
    signal: AbortSignal,
    made: number,
  ): Promise<void> {
    const { clock, board } = this.parts;
    const drain = new Drain(this.parts, work, this.rests, () => {
      this.showSometimes();
    });
    const result = await within(slot?.end, clock, signal, (until) => drain.run(until));
    signal.throwIfAborted();
    board.update({ sending: false });
    this.requests.met = made;
    this.fault = result.fault;
    this.show();
    this.setbacks = result.ending === undefined ? 0 : this.setbacks + 1;
    if (result.ending !== undefined) {
      const rest = exponential(seconds(1), longestPause, this.parts.random);
      await clock.sleep(rest(this.setbacks), signal);
      return;
    }
    const rest = this.rests.shortest();
    if (rest !== undefined) await this.sleeper.sleep(longer(rest, milliseconds(1)), signal);
  }

  private async retryAll(): Promise<void> {
    this.rests.clear();
    this.setbacks = 0;
    const count = await this.parts.content.outbox.retryAll();
    if (count > 0) this.parts.log.info("what the parent refused is tried again", { changes: count });
  }

  private slot({ sync, suspend, drain }: RegistrySettings, { queuedAt }: OutboxEntry): SyncSlot | undefined {
    const now = this.parts.clock.now();
    if (drain !== undefined) return { start: now };
    if (suspend) return undefined;
    if (this.hurried || sync === undefined) return { start: now };
    try {
      return shiftOf(
        parseSchedule(sync),
        now,
        DateTime.fromMillis(queuedAt, { zone: "utc" }) as DateTime<true>,
      );
    } catch {
      // The sync from the parent says what is wrong with the schedule.
      return undefined;
    }
  }

  private untilOpen(slot: SyncSlot | undefined): Duration {
    const { clock, linkClosedUntil } = this.parts;
    const now = clock.now();
    const closed = linkClosedUntil();
    const wait = slot === undefined ? longestSleep : slot.start.diff(now);
    return closed === undefined ? wait : longer(wait, closed.diff(now));
  }

  private interval({ sync }: RegistrySettings): Duration {
    return longer(pause, shorter(seconds(sync?.pollIntervalSeconds ?? 60), longestPause));
  }

  private showSometimes(): void {
    if (this.parts.clock.steady() - this.shownAt >= pause.toMillis()) this.show();
  }

  private show(): void {
    const { board, clock, content } = this.parts;
    this.shownAt = clock.steady();
    const up = upStatusOf(content.outbox);
    board.update({ up });
    const refused = up === undefined || up.setAside === 0 ? undefined : refusedFault(up);
    board.setFault("Up", this.fault ?? refused);
  }
}

function refusedFault({ setAsideItems }: UpStatus): ParentFault {
  const names = [...new Set(setAsideItems.map(({ repository }) => repository))].sort();
  const more = names.length > 3 ? " and others" : "";
  return {
    code: "REFUSED",
    description: `The parent refuses changes of ${names.slice(0, 3).join(", ")}${more}. The status names them, with what to do; then ask for a resync.`,
  };
}
