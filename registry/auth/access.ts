import type { RepositoryAction } from "../../common/contract/scope.ts";
import { isRepository } from "../../common/oci/reference.ts";

/** What may be done in one repository. */
export interface Access {
  readonly repository: string;
  readonly actions: readonly RepositoryAction[];
}

/** What a request asks for, or a bearer token carries. */
export interface Grant {
  readonly repositories: readonly Access[];
  /** Whether the catalog may be read: of it, what the client may see anyway. */
  readonly catalog: boolean;
}

/** The words of Docker's token protocol for the actions, as ACR uses them. */
const words: Readonly<Record<string, readonly RepositoryAction[]>> = {
  // Clients that list tags ask for `pull`; ACR gives them metadata/read with it, where they have it.
  pull: ["content/read", "metadata/read"],
  push: ["content/write", "metadata/write"],
  delete: ["content/delete"],
  metadata_read: ["metadata/read"],
  metadata_write: ["metadata/write"],
  "*": ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"],
};

const wordOf: Readonly<Record<RepositoryAction, string>> = {
  "content/read": "pull",
  "content/write": "push",
  "content/delete": "delete",
  "metadata/read": "metadata_read",
  "metadata/write": "metadata_write",
};

/** More scopes than this in one request are not looked at. */
const maxScopes = 100;

/**
 * Reads scopes such as `repository:apps/hello:pull,push` and `registry:catalog:*`. What is not understood is not asked
 * for: a token is issued without it.
 */
export function parseScopes(texts: readonly string[]): Grant {
  const actions = new Map<string, Set<RepositoryAction>>();
  let catalog = false;
  const scopes = texts.flatMap((text) => text.split(" ")).filter((text) => text !== "");
  for (const scope of scopes.slice(0, maxScopes)) {
    const [type, rest] = cut(scope, scope.indexOf(":"));
    const [name, list] = cut(rest, rest.lastIndexOf(":"));
    if (type === "registry" && name === "catalog") catalog = true;
    // Docker names a class of content after the type, as in `repository(plugin)`: the rights are the same.
    if (!/^repository(\([a-z0-9]+\))?$/.test(type) || !isRepository(name)) continue;
    const wanted = actions.get(name) ?? new Set();
    for (const word of list.split(",")) for (const action of wordsOf(word)) wanted.add(action);
    actions.set(name, wanted);
  }
  return {
    repositories: [...actions].map(([repository, wanted]) => ({ repository, actions: [...wanted] })),
    catalog,
  };
}

/** Whether `grant` holds `action` on `repository`. */
export function carries(grant: Grant, action: RepositoryAction, repository: string): boolean {
  return grant.repositories.some(
    (access) => access.repository === repository && access.actions.includes(action),
  );
}

/** The scope to ask for, in a challenge. */
export function scopeText({ repository, actions }: Access): string {
  return `repository:${repository}:${actions.map((action) => wordOf[action]).join(",")}`;
}

export const catalogScope = "registry:catalog:*";

function wordsOf(word: string): readonly RepositoryAction[] {
  return Object.hasOwn(words, word) ? (words[word] ?? []) : [];
}

function cut(text: string, at: number): readonly [string, string] {
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
