import { parseDigest } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import type { RepositoryCall } from "./call.ts";
import { nextLink, parsePage, single } from "./paging.ts";

/** GET /v2/<name>/referrers/<digest>: an index, empty where nobody refers to it */
export async function listReferrers({
  request,
  response,
  params,
  repository,
}: RepositoryCall): Promise<void> {
  const subject = parseDigest(params.digest ?? "");
  const asked = single(request.query.artifactType);
  // No manifest has an empty type: who sends one asks for all.
  const artifactType = asked === "" ? undefined : asked;
  const page = parsePage(request);
  const manifests = await repository.referrerPage(subject, page, artifactType);
  const last = manifests.at(-1)?.digest;
  const more =
    last !== undefined &&
    (await repository.referrerPage(subject, { after: last, limit: 1 }, artifactType)).length > 0;
  if (more) {
    const path = `/v2/${repository.name}/referrers/${subject}`;
    const extra = artifactType === undefined ? {} : { artifactType };
    response.setHeader("Link", nextLink(path, page.limit, last, extra));
  }
  if (artifactType !== undefined) response.setHeader("OCI-Filters-Applied", "artifactType");
  response.setHeader("Content-Type", mediaTypes.ociIndex);
  response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}
