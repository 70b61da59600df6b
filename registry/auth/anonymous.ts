import { repositoryActions, type RepositoryAction } from "../../common/contract/scope.ts";

/** What clients may do that do not log in: these actions, on every repository. */
export type AnonymousAccess = readonly RepositoryAction[];

const words: Readonly<Record<string, AnonymousAccess>> = {
  none: [],
  read: ["content/read", "metadata/read"],
  write: repositoryActions,
};

/** What `parseAnonymousAccess` reads, for people. */
export const anonymousGrammar = `${Object.keys(words).join(", ")}, or a list of ${repositoryActions.join(", ")}`;

/** Reads `none`, `read`, `write`, or actions with commas between; `undefined`: it is none of these. */
export function parseAnonymousAccess(text: string): AnonymousAccess | undefined {
  if (Object.hasOwn(words, text)) return words[text];
  const listed = text.split(",").map((part) => part.trim());
  const actions = repositoryActions.filter((action) => listed.includes(action));
  return actions.length === new Set(listed).size ? actions : undefined;
}
