/**
 * The first key that an object in `json` has twice, or `undefined`. `JSON.parse` keeps the last value of such a key and
 * others the first, so that two programs would see two different documents under one digest (S10). At the top level keys
 * that differ only in case count as the same: programs in Go read them as one.
 *
 * @param json valid JSON
 */
export function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(json, end)) {
        const key = JSON.parse(json.slice(at, end)) as string;
        const seen = open.length === 1 ? fold(key) : key;
        if (keys.has(seen)) return key;
        keys.add(seen);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** A key of `value` that is none of `keys`, but that programs in Go take for one (S10). */
export function misspeltKey(
  value: Readonly<Record<string, unknown>>,
  keys: ReadonlySet<string>,
): string | undefined {
  const strange = Object.keys(value).filter((key) => !keys.has(key));
  if (strange.length === 0) return undefined;
  const folded = new Set([...keys].map(fold));
  return strange.find((key) => folded.has(fold(key)));
}

/** Case as Go folds it: the long s and the sign for kelvin are letters of ASCII to it. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** Where the string that begins at `start` is over. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isKey(json: string, end: number): boolean {
  let at = end;
  while (/\s/.test(json[at] ?? "")) at++;
  return json[at] === ":";
}
