import type { Request } from "express";
import { OciError } from "../../common/oci/errors.ts";
import type { PageRequest } from "../content/metadata.ts";
import type { RepositoryCall } from "./call.ts";
import { headOf, manifestOf, tagOf } from "./metadata-answer.ts";
import { nextLink, parsePage, single } from "./paging.ts";

/** ACR's own: a manifest comes with its tags, of which there may be many. */
const maxManifests = 100;

/** GET /acr/v1/<name>/_tags: the tags as `/v2/<name>/tags/list` has them, each with its attributes */
export async function listTagMetadata(call: RepositoryCall): Promise<void> {
  const { locks } = call.parts.content;
  const page = pageOf(call.request);
  await demandListed(call);
  const found = await locks.tagPage(call.repository.name, { ...page, limit: page.limit + 1 });
  const items = found.slice(0, page.limit);
  linkNext(call, "_tags", page.limit, found.length > items.length ? items.at(-1)?.tag : undefined);
  call.response.json({ ...headOf(call), tags: items.map((item) => tagOf(item.tag, item)) });
}

/** GET /acr/v1/<name>/_manifests: the manifests in the order of their digests, at most a hundred at once */
export async function listManifestMetadata(call: RepositoryCall): Promise<void> {
  const { locks } = call.parts.content;
  const page = pageOf(call.request);
  await demandListed(call);
  const limit = Math.min(page.limit, maxManifests);
  const found = await locks.manifestPage(call.repository.name, { ...page, limit: limit + 1 });
  const items = found.slice(0, limit);
  linkNext(call, "_manifests", limit, found.length > items.length ? items.at(-1)?.digest : undefined);
  call.response.json({ ...headOf(call), manifests: items.map(manifestOf) });
}

/** @throws {OciError} `UNSUPPORTED` for another order, or a part, than there is: it would look like the whole */
function pageOf(request: Request): PageRequest {
  const order = single(request.query.orderby) ?? "";
  if (!["", "none"].includes(order) || request.query.digest !== undefined) {
    throw new OciError("PAGINATION_NUMBER_INVALID", { message: "orderby and digest are not supported here" });
  }
  return parsePage(request);
}

async function demandListed({ parts, repository }: RepositoryCall): Promise<void> {
  parts.content.locks.demandList(repository.name);
  if (!(await repository.known())) throw new OciError("NAME_UNKNOWN", { detail: { name: repository.name } });
}

function linkNext(
  { response, repository }: RepositoryCall,
  list: string,
  limit: number,
  last?: string,
): void {
  if (last === undefined) return;
  response.setHeader("Link", nextLink(`/acr/v1/${repository.name}/${list}`, limit, last));
}
