import { seconds, type Clock } from "../../common/clock.ts";
import { every } from "../../common/every.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";

/**
 * A registry of which nothing is asked for so long rests. What V8 compiled goes too, and is made again within the first second
 * of many requests: no client that comes every few seconds may have to wait for that.
 */
const restMs = 60_000;
const interval = seconds(10);
/** In bytes. Less is not worth the pause, a few hundredths of a second. */
const worthwhile = 4 * 1024 ** 2;

export interface MemoryParts {
  /** How many requests run, and how many there ever were. */
  readonly activity: () => { readonly running: number; readonly begun: number };
  /** In bytes. */
  readonly resident: () => number;
  /** Collects what nobody needs, and gives its memory back to the system. */
  readonly collect: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Gives back the memory that work has left behind, once nobody asks for anything: by itself, Node collects garbage only
 * when more memory is asked for, which an idle registry may never do (docs/decisions/0005-memory-of-the-registry.md).
 */
export class MemoryReturn implements Service {
  readonly name = "memory";
  private readonly parts: MemoryParts;
  private begun = 0;
  private busyAt = 0;
  /** The least that was resident since memory was given back; nothing yet, so that a start's leavings go too. */
  private least = 0;

  constructor(parts: MemoryParts) {
    this.parts = parts;
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const look = (): Promise<void> => {
      this.look();
      return Promise.resolve();
    };
    this.busyAt = this.parts.clock.steady();
    await every(interval, look, this.parts.clock, signal);
  }

  private look(): void {
    const { activity, resident, collect, clock, log } = this.parts;
    const { running, begun } = activity();
    if (running > 0 || begun !== this.begun) this.busyAt = clock.steady();
    this.begun = begun;
    const before = resident();
    this.least = Math.min(this.least, before);
    if (clock.steady() - this.busyAt < restMs || before - this.least < worthwhile) return;
    collect();
    this.least = resident();
    log.debug("memory was given back", { before, after: this.least });
  }
}

/** For this process, if Node was told to let us (`--expose-gc`), as in the image. */
export function memoryReturn(
  activity: MemoryParts["activity"],
  clock: Clock,
  log: Logger,
): readonly MemoryReturn[] {
  const { gc } = globalThis;
  if (gc === undefined) return [];
  const collect = (): void => {
    // Of the kinds that there are, only this one gives back the pages that V8 keeps for later.
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
  };
  return [new MemoryReturn({ activity, resident: () => process.memoryUsage.rss(), collect, clock, log })];
}
