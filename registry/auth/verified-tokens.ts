import { hash } from "node:crypto";

interface Entry<T> {
  readonly value: T;
  /** In seconds since 1970: it is good from `from` on, and no longer at `until`. */
  readonly from: number;
  readonly until: number;
}

const maxEntries = 4096;

/**
 * Bearer tokens whose signature was checked, by their digest: a client sends the same one with each request. Only that
 * they are ours and what they say is remembered; when they hold is asked each time.
 */
export class VerifiedTokens<T> {
  /** The least recently used first. */
  private readonly entries = new Map<string, Entry<T>>();

  /** @param now in seconds since 1970 */
  find(token: string, now: number): T | undefined {
    const key = keyOf(token);
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (now >= entry.until) return undefined;
    this.entries.set(key, entry);
    return now < entry.from ? undefined : entry.value;
  }

  remember(token: string, entry: Entry<T>): void {
    this.entries.set(keyOf(token), entry);
    const [oldest] = this.entries.keys();
    if (this.entries.size > maxEntries && oldest !== undefined) this.entries.delete(oldest);
  }
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64");
}
