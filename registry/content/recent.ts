interface Entry<T> {
  readonly value: T;
  /** Since it was last looked at whether it may go. */
  used: boolean;
}

/**
 * What was used lately, up to so many bytes in all. When there are more, what was not used since they were last too many
 * goes first, the oldest before the others: nearly the least recently used, without a write at each use.
 */
export class Recent<T> {
  private readonly limit: number;
  private readonly sizeOf: (value: T) => number;
  /** A map keeps the order of insertion. */
  private readonly entries = new Map<string, Entry<T>>();
  private bytes = 0;

  /** @param limit in bytes */
  constructor(limit: number, sizeOf: (value: T) => number) {
    this.limit = limit;
    this.sizeOf = sizeOf;
  }

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** No effect if it alone is too large. */
  set(key: string, value: T): void {
    this.delete(key);
    const size = this.sizeOf(value);
    if (size > this.limit) return;
    this.bytes += size;
    this.makeRoom();
    this.entries.set(key, { value, used: false });
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.bytes -= this.sizeOf(entry.value);
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  private makeRoom(): void {
    for (const [oldest, entry] of this.entries) {
      if (this.bytes <= this.limit) return;
      if (entry.used) {
        // Another chance, at the end of the row, where this loop comes by again.
        this.entries.delete(oldest);
        this.entries.set(oldest, { value: entry.value, used: false });
      } else this.delete(oldest);
    }
  }
}
