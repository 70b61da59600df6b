/**
 * Shares syncs of one file among all who wait for one: while a sync runs, the next one gathers everybody who comes.
 *
 * # Guarantees
 * What was written before `after()` was called is synced when it resolves.
 */
export class GroupSync {
  private readonly sync: () => Promise<void>;
  private running: Promise<unknown> = Promise.resolve();
  private next: Promise<void> | undefined;

  /** @param sync must not run twice at once */
  constructor(sync: () => Promise<void>) {
    this.sync = sync;
  }

  /** Rejects with what `sync` threw. */
  after(): Promise<void> {
    this.next ??= this.running.then(() => {
      this.next = undefined;
      const sync = this.sync();
      this.running = sync.catch(() => undefined);
      return sync;
    });
    return this.next;
  }
}
