/** Manifests are nested less than ten deep. */
const maxDepth = 64;
/** A manifest of 10,000 layers has about 50,000 values. */
const maxValues = 250_000;

/**
 * Whether to parse `json` would cost much more than its length says: four million brackets become hundreds of megabytes
 * of objects (S03). Looks at brackets and commas only, so it may be asked of anything.
 */
export function isTooComplex(json: string): boolean {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') at = endOfString(json, at);
    else if (character === "{" || character === "[") {
      depth++;
      values++;
    } else if (character === "}" || character === "]") depth--;
    else if (character === ",") values++;
    if (depth > maxDepth || values > maxValues) return true;
  }
  return false;
}

/** Where the string that begins at `start` has its last quotation mark; the end of `json` if it has none. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}
