import { ProtocolError } from "./errors.ts";
import type { ParentAnswer, ParentClient, ParentRequest } from "./client.ts";

/** One page of a list: the smallest limit that holds 1,000 of the longest names with room. */
const maxPageBytes = 4 * 1024 * 1024;
/** A parent that gives one name a page would still get this far; one that never ends is stopped (S04). */
const maxPages = 10_000;

/**
 * Every page of a list, following `Link` (OCI distribution specification, "Listing Tags"): all of it, or an error (T14).
 *
 * @throws {ProtocolError} if the list leads elsewhere, goes round in circles or does not end
 */
export async function* readPages(client: ParentClient, first: ParentRequest): AsyncGenerator<ParentAnswer> {
  const visited = new Set<string>();
  let path: string | undefined = first.path;
  while (path !== undefined) {
    if (visited.has(path) || visited.size >= maxPages) {
      throw new ProtocolError(`${client.origin.host} gives a list that does not end.`);
    }
    visited.add(path);
    const answer = await client.read({ ...first, path }, maxPageBytes);
    yield answer;
    path = nextPage(answer.headers.link, new URL(path, client.origin));
  }
}

/** Path and query of the next page, from a `Link` header (RFC 8288). @throws {ProtocolError} if it is on another host */
function nextPage(link: string | string[] | undefined, current: URL): string | undefined {
  const text = Array.isArray(link) ? link.join(",") : (link ?? "");
  for (const [, target = "", parameters = ""] of text.matchAll(/<([^>]*)>((?:\s*;[^,]*)*)/g)) {
    if (!/;\s*rel="?next"?\s*(;|$)/i.test(parameters)) continue;
    const next = URL.canParse(target, current.href) ? new URL(target, current) : undefined;
    // Behind a proxy the link may name another scheme or port of the same host: only path and query are taken from it.
    if (next?.hostname !== current.hostname) {
      throw new ProtocolError(`${current.host} continues a list on another host.`);
    }
    return `${next.pathname}${next.search}`;
  }
  return undefined;
}
