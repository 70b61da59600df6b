import type { RepositoryRule } from "../../../common/contract/config.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Repositories, SyncSource } from "../../content/store.ts";
import { DeniedError, NotFoundError, ProtocolError } from "../../remote/errors.ts";

/** The parent does not say which repositories it has, so that patterns cannot be followed: somebody must name them. */
export class CatalogUnavailableError extends Error {
  override readonly name = "CatalogUnavailableError";
  readonly patterns: readonly string[];
  /** Whether it has a list, and does not show it to us. */
  readonly denied: boolean;

  constructor(patterns: readonly string[], cause: unknown) {
    super("the parent shows no list of its repositories", { cause });
    this.patterns = patterns;
    this.denied = cause instanceof DeniedError;
  }
}

/**
 * All repositories of the parent.
 *
 * @param rules whose patterns need the list
 * @throws {CatalogUnavailableError} if there is none, and what the parent throws otherwise
 */
export async function catalogOf(
  source: Repositories<SyncSource>,
  rules: readonly RepositoryRule[],
  signal: AbortSignal,
): Promise<readonly RepositoryName[]> {
  const names: RepositoryName[] = [];
  try {
    for await (const name of source.list(signal)) names.push(name);
  } catch (error) {
    // Docker Hub answers 401 (which its tokens make a denial), ghcr.io 403 or 404, others 405 or 501.
    const absent =
      error instanceof NotFoundError ||
      error instanceof DeniedError ||
      (error instanceof ProtocolError && error.status !== undefined);
    if (!absent) throw error;
    throw new CatalogUnavailableError(
      rules.map(({ name }) => name),
      error,
    );
  }
  return names;
}
