/** Work that runs once at a time however many want it: who comes while it runs gets its result too, also its failure (T38). */
export class Once {
  private readonly running = new Map<string, Promise<unknown>>();

  /** @param key names the work, and with it the type of its result */
  do<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.running.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const begun = work().finally(() => this.running.delete(key));
    this.running.set(key, begun);
    return begun;
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running.values());
  }

  /** What runs under `key`, if anything does. */
  find(key: string): Promise<unknown> | undefined {
    return this.running.get(key);
  }
}
