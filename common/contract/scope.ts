/** ACR's actions on a repository, as scope maps write them (`repositories/<name>/<action>`). */
export const repositoryActions = [
  "content/read",
  "content/write",
  "content/delete",
  "metadata/read",
  "metadata/write",
] as const;
export type RepositoryAction = (typeof repositoryActions)[number];

/** ACR's actions on the gateway of a connected registry, as scope maps of sync tokens write them (`gateway/<name>/<action>`). */
export const gatewayActions = ["config/read", "config/write", "message/read", "message/write"] as const;
type GatewayAction = (typeof gatewayActions)[number];

/** One rule of the scope map of a sync token: `action` in the name of the connected registry `registry`. */
export interface GatewayRule {
  readonly registry: string;
  readonly action: GatewayAction;
}

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
/** Of the name of a connected registry. */
const registryGrammar = /^[a-z][a-z0-9-]{3,38}[a-z0-9]$/;
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

/** Whether a scope rule can have `pattern`. */
export function isScopePattern(pattern: string): boolean {
  return patternGrammar.test(pattern);
}

/**
 * Reads `gateway/<name>/<action>`, which only the sync token of a connected registry may have.
 *
 * @throws {InvalidScopeError} whose message says what is allowed
 */
export function parseGatewayScope(text: string): GatewayRule {
  const lower = text.toLowerCase();
  const action = gatewayActions.find((candidate) => lower.endsWith(`/${candidate}`));
  const registry = lower.slice("gateway/".length, -(action?.length ?? 0) - 1);
  if (!isGatewayScope(lower) || action === undefined || !registryGrammar.test(registry)) {
    throw new InvalidScopeError(
      `"${text}" is not gateway/<name>/<action> with one of the actions ${gatewayActions.join(", ")}`,
    );
  }
  return { registry, action };
}

/**
 * What `action` of a token allows on repositories; `undefined` if it is about a gateway. Only a token of kind `sync` may
 * have such: it goes by what its document says it is, never by a name (S29).
 *
 * @throws {InvalidScopeError} whose message says what is allowed
 */
export function repositoryRuleOf(action: string, kind: "client" | "sync" | undefined): ScopeRule | undefined {
  if (kind !== "sync" || !isGatewayScope(action)) return parseScope(action);
  parseGatewayScope(action);
  return undefined;
}

/** Whether `text` speaks of a gateway, rightly or not. */
export function isGatewayScope(text: string): boolean {
  return text.toLowerCase().startsWith("gateway/");
}

/** Whether `pattern` of a scope rule names `repository`. */
export function scopeMatches(pattern: string, repository: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith("/*") ? repository.startsWith(pattern.slice(0, -1)) : repository === pattern;
}
