import { maxTagLength } from "../oci/reference.ts";

export const newestOrders = ["Semver", "Numerical", "Alphabetical"] as const;

export type Newest = <T extends string>(tags: readonly T[]) => readonly T[];

/**
 * What `Numerical` and `Alphabetical` compare, letter by letter, of the text that stands for a tag; `undefined` if it
 * cannot be compared.
 */
export function keyOf(by: "Numerical" | "Alphabetical", text: string | undefined): string | undefined {
  if (text === undefined || by === "Alphabetical") return text;
  if (!/^\d+$/.test(text)) return undefined;
  // What is longer than a number can hold is still in order.
  return text.padStart(maxTagLength, "0");
}

/**
 * The `count` highest of some tags, highest first. What is equal by `compare` is in the order of the tags, so that the
 * same tags give the same choice in whatever order they are listed.
 */
export function newestBy<K>(
  count: number,
  key: (tag: string) => K | undefined,
  compare: (a: K, b: K) => number,
): Newest {
  return (tags) =>
    tags
      .flatMap((tag) => {
        const found = key(tag);
        return found === undefined ? [] : [{ tag, found }];
      })
      .sort((a, b) => compare(b.found, a.found) || (a.tag < b.tag ? 1 : -1))
      .slice(0, count)
      .map(({ tag }) => tag);
}
