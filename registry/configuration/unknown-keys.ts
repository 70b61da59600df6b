import type * as z from "zod/mini";

/** What a document says that `schema` does not know: nobody reads it, so that whoever wrote it should be told. */
export function unknownKeys(schema: z.core.$ZodType, value: unknown, path = ""): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "optional" || def.type === "default" || def.type === "prefault") {
    return unknownKeys(def.innerType, value, path);
  }
  if (def.type === "array" && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownKeys(def.element, item, `${path}${index}.`));
  }
  if (def.type === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => unknownKey(def.shape, key, inner, path));
  }
  return [];
}

function unknownKey(shape: z.core.$ZodShape, key: string, value: unknown, path: string): readonly string[] {
  const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
  if (known !== undefined) return unknownKeys(known, value, `${path}${key}.`);
  const meant = nearest(key, Object.keys(shape));
  const remedy = meant === undefined ? "remove it" : `do you mean ${meant}?`;
  return [`${path}${key}: there is no such setting; ${remedy}`];
}

/** The one of `candidates` that `word` is likely to be a slip of, if there is one. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const [best] = candidates
    .map((candidate) => ({ candidate, slips: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((a, b) => a.slips - b.slips);
  return best?.candidate;
}

/** How many letters must be added, left out or replaced to make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
