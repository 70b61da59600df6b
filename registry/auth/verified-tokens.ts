import { hash } from "node:crypto";

interface Entry<T> {
  readonly value: T;
  /** In seconds since 1970: it is good from `from` on, and no longer at `until`. */
  readonly from: number;
  readonly until: number;
}

interface Kept<T> extends Entry<T> {
  readonly length: number;
}

/** What is remembered takes a few times the memory of the tokens it is about: four thousand of the usual length. */
const maxLength = 2 * 1024 ** 2;

/**
 * Bearer tokens whose signature was checked, by their digest: a client sends the same one with each request. Only that
 * they are ours and what they say is remembered; when they hold is asked each time. Bounded by what clients sent, since
 * whoever may have one token may have any number, each as long as a head can be.
 */
export class VerifiedTokens<T> {
  /** The least recently used first. */
  private readonly entries = new Map<string, Kept<T>>();
  /** Of all tokens that are remembered, in characters. */
  private length = 0;

  /** @param now in seconds since 1970 */
  find(token: string, now: number): T | undefined {
    const key = keyOf(token);
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.forget(key);
    if (now >= entry.until) return undefined;
    this.keep(key, entry);
    return now < entry.from ? undefined : entry.value;
  }

  remember(token: string, entry: Entry<T>): void {
    const key = keyOf(token);
    this.forget(key);
    this.keep(key, { ...entry, length: token.length });
    for (const oldest of this.entries.keys()) {
      if (this.length <= maxLength) break;
      this.forget(oldest);
    }
  }

  private keep(key: string, entry: Kept<T>): void {
    this.entries.set(key, entry);
    this.length += entry.length;
  }

  private forget(key: string): void {
    this.length -= this.entries.get(key)?.length ?? 0;
    this.entries.delete(key);
  }
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64");
}
