/** ACR's actions on a repository, as scope maps write them (`repositories/<name>/<action>`). */
export const repositoryActions = [
  "content/read",
  "content/write",
  "content/delete",
  "metadata/read",
  "metadata/write",
] as const;
export type RepositoryAction = (typeof repositoryActions)[number];

/** One rule of a scope map: `action` on the repositories that `pattern` names. */
export interface ScopeRule {
  /** A repository name, `path/*` (everything below), or `*` (everything). */
  readonly pattern: string;
  readonly action: RepositoryAction;
}

export class InvalidScopeError extends Error {
  override readonly name = "InvalidScopeError";
}

const name = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*";
const patternGrammar = new RegExp(`^(?:\\*|${name}(?:/\\*)?)$`);

/**
 * Reads `repositories/<name>/<action>` of ACR's scope map grammar. Letter case does not matter, as in ACR. One `*` is
 * allowed, alone or as the last path segment of the name.
 *
 * @throws {InvalidScopeError} whose message says what is allowed
 */
export function parseScope(text: string): ScopeRule {
  const lower = text.toLowerCase();
  const action = repositoryActions.find((candidate) => lower.endsWith(`/${candidate}`));
  if (!lower.startsWith("repositories/") || action === undefined) {
    throw new InvalidScopeError(
      `"${text}" is not repositories/<name>/<action> with one of the actions ${repositoryActions.join(", ")}`,
    );
  }
  const pattern = lower.slice("repositories/".length, -action.length - 1);
  if (!patternGrammar.test(pattern)) {
    throw new InvalidScopeError(
      `"${text}": the name is a repository, a path that ends with "/*", or "*" alone`,
    );
  }
  return { pattern, action };
}

/** Whether `pattern` of a scope rule names `repository`. */
export function scopeMatches(pattern: string, repository: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith("/*") ? repository.startsWith(pattern.slice(0, -1)) : repository === pattern;
}
