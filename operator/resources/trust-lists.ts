import { maxTrustLists } from "../../common/contract/trust.ts";

/**
 * Up to where a list takes new entries, in bytes. A ConfigMap holds 1 MiB: the rest is for its entries to grow, as all
 * of them do while authorities are replaced.
 */
const takesUpTo = 512 * 1024;
/** Beyond this an entry has to go to another list. */
const holds = 960 * 1024;

export interface Distribution {
  /** By the key of each entry. There is always one. */
  readonly lists: readonly ReadonlyMap<string, string>[];
  /** Which of them got entries that they did not have: to be written before entries vanish from others. */
  readonly gaining: ReadonlySet<number>;
  /** The keys for which there was no room. */
  readonly leftOut: readonly string[];
}

/**
 * Puts each entry into a list. What is in a list stays there, so that a change of one registry is a change of one list;
 * and there are never fewer lists than there were.
 *
 * @param present the keys that the lists have now
 */
export function distribute(
  entries: ReadonlyMap<string, string>,
  present: readonly Iterable<string>[],
): Distribution {
  const lists = present.map(() => new Map<string, string>());
  const sizes = lists.map(() => 0);
  const gaining = new Set<number>();
  const leftOut: string[] = [];
  const left = new Map(entries);
  const put = (at: number, key: string, entry: string): void => {
    lists[at]?.set(key, entry);
    sizes[at] = (sizes[at] ?? 0) + sizeOf(key, entry);
    left.delete(key);
  };
  for (const [at, keys] of present.entries()) {
    for (const key of [...keys].sort()) {
      const entry = left.get(key);
      if (entry !== undefined && (sizes[at] ?? 0) + sizeOf(key, entry) <= holds) put(at, key, entry);
    }
  }
  for (const key of [...left.keys()].sort()) {
    const entry = left.get(key) ?? "";
    let at = sizes.findIndex((size) => size + sizeOf(key, entry) <= takesUpTo);
    if (at === -1 && lists.length < maxTrustLists) at = lists.push(new Map()) - 1;
    if (at === -1) {
      leftOut.push(key);
      continue;
    }
    put(at, key, entry);
    gaining.add(at);
  }
  if (lists.length === 0) lists.push(new Map());
  return { lists, gaining, leftOut };
}

function sizeOf(key: string, entry: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(entry);
}
