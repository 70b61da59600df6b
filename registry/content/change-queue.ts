/** Lets changes happen one after another, in the order in which they came, and none while they are held. */
export class ChangeQueue {
  private readonly waiting: (() => void)[] = [];
  private held = false;
  private draining = false;

  /** Does `work` at once, without a pause in which anything else could happen, unless it has to wait for its turn. */
  run<T>(work: () => T): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const turn = (): void => {
      // What it throws is for whoever waits, not for whoever gives the turn.
      resolve(
        new Promise((done) => {
          done(work());
        }),
      );
    };
    if (this.held || this.draining) this.waiting.push(turn);
    else turn();
    return promise;
  }

  /** No change happens until `release`. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    if (!this.draining) this.drain();
  }

  private drain(): void {
    const turn = this.held ? undefined : this.waiting.shift();
    this.draining = turn !== undefined;
    if (turn === undefined) return;
    turn();
    // Readers get their turn between two changes, however many have waited.
    setImmediate(() => {
      this.drain();
    });
  }
}
