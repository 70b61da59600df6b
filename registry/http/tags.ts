import { OciError } from "../../common/oci/errors.ts";
import type { RepositoryCall } from "./call.ts";
import { nextLink, parsePage } from "./paging.ts";

/** GET /v2/<name>/tags/list */
export async function listTags({ request, response, repository, parts }: RepositoryCall): Promise<void> {
  const page = parsePage(request);
  parts.content.locks.demandList(repository.name);
  if (!(await repository.known())) throw new OciError("NAME_UNKNOWN");
  const found = await repository.tagPage({ ...page, limit: page.limit + 1 });
  const tags = found.slice(0, page.limit);
  const last = tags.at(-1);
  if (found.length > tags.length && last !== undefined) {
    response.setHeader("Link", nextLink(`/v2/${repository.name}/tags/list`, page.limit, last));
  }
  response.json({ name: repository.name, tags });
}
