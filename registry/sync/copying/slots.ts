interface Waiting {
  readonly weight: number;
  readonly start: () => void;
}

/** So often the one that has waited longest goes first, whatever it weighs: nobody waits for ever. */
const turnOfTheOldest = 4;

/** Runs so many tasks at once, and of those that wait the lightest first; equals in the order in which they came. */
export class Slots {
  private width: number;
  private readonly most: number;
  /** In the order in which they came. */
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private turns = 0;

  /** @param most to be allowed at once in the end: each task that succeeds makes room for one more */
  constructor(width: number, most = width) {
    this.width = width;
    this.most = most;
  }

  async run<T>(task: () => Promise<T>, weight: number): Promise<T> {
    if (this.running < this.width) this.running++;
    else {
      await new Promise<void>((start) => {
        this.waiting.push({ weight, start });
      });
    }
    try {
      const result = await task();
      this.widen();
      return result;
    } finally {
      this.next();
    }
  }

  private widen(): void {
    if (this.width >= this.most) return;
    this.width++;
    if (this.waiting.length === 0) return;
    this.running++;
    this.next();
  }

  /** Gives a slot that is free now to whose turn it is. */
  private next(): void {
    const oldest = this.turns % turnOfTheOldest === turnOfTheOldest - 1;
    const [next] = this.waiting.splice(oldest ? 0 : this.lightest(), 1);
    if (next === undefined) {
      this.running--;
      return;
    }
    this.turns++;
    next.start();
  }

  private lightest(): number {
    let found = 0;
    this.waiting.forEach(({ weight }, index) => {
      if (weight < (this.waiting[found]?.weight ?? Infinity)) found = index;
    });
    return found;
  }
}
