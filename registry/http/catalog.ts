import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Call } from "./call.ts";
import { nextLink, parsePage } from "./paging.ts";

/** GET /v2/_catalog, and /acr/v1/_catalog: of the repositories, those that the client may read. Others are not even looked at. */
export async function listCatalog({ request, response, parts, session }: Call): Promise<void> {
  const { after = "", limit } = parsePage(request);
  const found: RepositoryName[] = [];
  for (const range of parts.tokens.ranges(session.principal, "content/read")) {
    if (range.to <= after) continue;
    found.push(...(await parts.content.page({ after, limit: limit + 1 - found.length }, range)));
    if (found.length > limit) break;
  }
  const repositories = found.slice(0, limit);
  const last = repositories.at(-1);
  if (found.length > limit && last !== undefined) {
    response.setHeader("Link", nextLink(request.path, limit, last));
  }
  response.json({ repositories });
}
