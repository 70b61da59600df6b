type Token =
  { readonly kind: "text"; readonly char: string } | { readonly kind: "any"; readonly slash: boolean };

/** Whether `glob` names exactly one thing. */
export function isLiteral(glob: string): boolean {
  return !glob.includes("*");
}

/**
 * Whether `glob` matches all of `text`: `*` stands for anything but `/`, `**` for anything, every other character for
 * itself. Takes time linear in both lengths: patterns come from users.
 */
export function matchesGlob(glob: string, text: string): boolean {
  const tokens = tokenize(glob);
  let states = reach(tokens, new Set([0]));
  for (const char of text) {
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token?.kind === "any" && (token.slash || char !== "/")) next.add(state);
      if (token?.kind === "text" && token.char === char) next.add(state + 1);
    }
    states = reach(tokens, next);
  }
  return states.has(tokens.length);
}

function tokenize(glob: string): readonly Token[] {
  return (glob.match(/\*\*|[^]/gu) ?? []).map((part) =>
    part.startsWith("*") ? { kind: "any", slash: part === "**" } : { kind: "text", char: part },
  );
}

/** `states`, and those that can be reached without a character. */
function reach(tokens: readonly Token[], states: Set<number>): Set<number> {
  // A Set is visited in the order of insertion, so what is added here is visited too.
  for (const state of states) if (tokens[state]?.kind === "any") states.add(state + 1);
  return states;
}
