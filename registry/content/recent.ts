/** What was used lately, up to so many bytes in all: what was not used for longest goes first. */
export class Recent<T> {
  private readonly limit: number;
  private readonly sizeOf: (value: T) => number;
  private readonly values = new Map<string, T>();
  private bytes = 0;

  /** @param limit in bytes */
  constructor(limit: number, sizeOf: (value: T) => number) {
    this.limit = limit;
    this.sizeOf = sizeOf;
  }

  get(key: string): T | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    // A map keeps the order of insertion: now it is the latest.
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  /** No effect if it alone is too large. */
  set(key: string, value: T): void {
    this.delete(key);
    const size = this.sizeOf(value);
    if (size > this.limit) return;
    this.values.set(key, value);
    this.bytes += size;
    for (const [oldest] of this.values) {
      if (this.bytes <= this.limit) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.values.get(key);
    if (value === undefined) return;
    this.values.delete(key);
    this.bytes -= this.sizeOf(value);
  }

  clear(): void {
    this.values.clear();
    this.bytes = 0;
  }
}
