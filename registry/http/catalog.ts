import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Call } from "./call.ts";
import { nextLink, parsePage } from "./paging.ts";

const batch = 1000;

/** GET /v2/_catalog: of the repositories, those that the client may read. */
export async function listCatalog({ request, response, parts, session }: Call): Promise<void> {
  const { after, limit } = parsePage(request);
  const visible: RepositoryName[] = [];
  for (let from = after; visible.length <= limit;) {
    const names = await parts.content.page({ after: from, limit: batch });
    visible.push(...names.filter((name) => parts.tokens.allows(session.principal, "content/read", name)));
    from = names.at(-1);
    if (names.length < batch) break;
  }
  const repositories = visible.slice(0, limit);
  const last = repositories.at(-1);
  if (visible.length > limit && last !== undefined) {
    response.setHeader("Link", nextLink("/v2/_catalog", limit, last));
  }
  response.json({ repositories });
}
