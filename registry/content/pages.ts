import type { PageRequest } from "./metadata.ts";

const pageSize = 1000;

/**
 * Everything that a paged listing has, page by page. What changes meanwhile may be seen or not; the rest comes once.
 *
 * @param nameOf what the listing is ordered by
 * @throws the signal's reason, between two pages
 */
export async function* pages<T>(
  read: (page: PageRequest) => Promise<readonly T[]>,
  nameOf: (item: T) => string,
  signal?: AbortSignal,
): AsyncIterable<T> {
  for (let after: string | undefined; ;) {
    signal?.throwIfAborted();
    const page = await read({ after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = nameOf(last);
  }
}
