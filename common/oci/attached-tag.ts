import { algorithmOf, hexOf, parseDigest, type Digest } from "./digest.ts";

/**
 * The digest that a tag is about, if it is one by which clients attach things: `sha256-<hex>` of the referrers tag schema,
 * `sha256-<hex>.sig` and the like of cosign.
 */
export function attachedTo(tag: string): Digest | undefined {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]+)(?:\..*)?$/.exec(tag) ?? [];
  if (algorithm === undefined || hex === undefined) return undefined;
  try {
    return parseDigest(`${algorithm}:${hex}`);
  } catch {
    return undefined;
  }
}

/**
 * What the names of all tags that are about `digest` begin with, and the referrers tag itself: of a longer digest the first
 * 64 digits, as the referrers tag schema cuts them.
 */
export function attachedPrefix(digest: Digest): string {
  return `${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`;
}
