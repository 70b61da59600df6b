interface Waiting {
  readonly weight: number;
  readonly start: () => void;
}

/** So often the one that has waited longest goes first, whatever it weighs: nobody waits for ever. */
const turnOfTheOldest = 4;

/** Runs so many tasks at once, and of those that wait the lightest first; equals in the order in which they came. */
export class Slots {
  private readonly width: number;
  /** In the order in which they came. */
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private turns = 0;

  constructor(width: number) {
    this.width = width;
  }

  async run<T>(task: () => Promise<T>, weight: number): Promise<T> {
    if (this.running < this.width) this.running++;
    else {
      await new Promise<void>((start) => {
        this.waiting.push({ weight, start });
      });
    }
    try {
      return await task();
    } finally {
      this.next();
    }
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
