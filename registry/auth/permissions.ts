import type { RepositoryAction, ScopeRule } from "../../common/contract/scope.ts";

interface Names {
  all: boolean;
  readonly exact: Set<string>;
  /** Each with its last slash. */
  readonly paths: Set<string>;
}

/**
 * What a list of scope rules allows, as `scopeMatches` says rule by rule, in a time that does not grow with their number:
 * a token may have five hundred, and a catalog asks for each of ten thousand names.
 */
export class Permissions {
  private readonly actions = new Map<RepositoryAction, Names>();

  constructor(rules: readonly ScopeRule[]) {
    for (const { action, pattern } of rules) {
      const names = this.actions.get(action) ?? { all: false, exact: new Set(), paths: new Set() };
      if (pattern === "*") names.all = true;
      else if (pattern.endsWith("/*")) names.paths.add(pattern.slice(0, -1));
      else names.exact.add(pattern);
      this.actions.set(action, names);
    }
  }

  allow(action: RepositoryAction, repository: string): boolean {
    const names = this.actions.get(action);
    if (names === undefined) return false;
    if (names.all || names.exact.has(repository)) return true;
    if (names.paths.size === 0) return false;
    for (let slash = repository.indexOf("/"); slash >= 0; slash = repository.indexOf("/", slash + 1)) {
      // A path names what is below it, not itself.
      if (slash + 1 < repository.length && names.paths.has(repository.slice(0, slash + 1))) return true;
    }
    return false;
  }
}
