declare const brand: unique symbol;

/** `<name>` of the OCI distribution specification, "Pulling manifests". */
export type RepositoryName = string & { readonly [brand]: "RepositoryName" };
/** A tag: `<reference>` of the same section that is not a digest. */
export type Tag = string & { readonly [brand]: "Tag" };

/** Names of repositories from `from` on and before `to`, in ASCIIbetical order. */
export interface NameRange {
  readonly from: string;
  readonly to: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** As the pattern has it. */
export const maxTagLength = 128;
const maxNameLength = 255;

export class InvalidReferenceError extends Error {
  override readonly name = "InvalidReferenceError";
}

export function isRepository(text: string): text is RepositoryName {
  return text.length <= maxNameLength && repositoryPattern.test(text);
}

/** @throws {InvalidReferenceError} */
export function parseRepository(text: string): RepositoryName {
  if (!isRepository(text)) {
    throw new InvalidReferenceError(
      "a repository name is lower-case path components of letters, digits, '.', '_' and '-'",
    );
  }
  return text;
}

/** @throws {InvalidReferenceError} */
export function parseTag(text: string): Tag {
  if (!tagPattern.test(text)) {
    throw new InvalidReferenceError(
      "a tag is up to 128 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'",
    );
  }
  return text as Tag;
}
