import { digestOf, parseDigest, type Digest } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import type { Referrer } from "../content/metadata.ts";
import type { RepositoryCall } from "./call.ts";
import { etagOf, names } from "./conditional.ts";
import { nextLink, parsePage, single } from "./paging.ts";

/** GET /v2/<name>/referrers/<digest>: an index, empty where nobody refers to it */
export async function listReferrers({
  request,
  response,
  params,
  parts,
  repository,
}: RepositoryCall): Promise<void> {
  const subject = parseDigest(params.digest ?? "");
  const asked = single(request.query.artifactType);
  // No manifest has an empty type: who sends one asks for all.
  const artifactType = asked === "" ? undefined : asked;
  const page = parsePage(request);
  const elsewhere = await parts.elsewhere.referrers(repository, subject);
  const here = await repository.referrerPage(subject, page, artifactType);
  const lastHere = here.at(-1)?.digest;
  const more =
    lastHere !== undefined &&
    (await repository.referrerPage(subject, { after: lastHere, limit: 1 }, artifactType)).length > 0;
  const found = merged(
    here,
    elsewhere.filter(isOn({ after: page.after, end: more ? lastHere : undefined, artifactType })),
  );
  const manifests = found.slice(0, page.limit);
  const last = manifests.at(-1)?.digest;
  if (last !== undefined && (more || found.length > manifests.length)) {
    const path = `/v2/${repository.name}/referrers/${subject}`;
    const extra = artifactType === undefined ? {} : { artifactType };
    response.setHeader("Link", nextLink(path, page.limit, last, extra));
  }
  if (artifactType !== undefined) response.setHeader("OCI-Filters-Applied", "artifactType");
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const digest = digestOf(body);
  response.setHeader("ETag", etagOf(digest));
  if (names(request.headers["if-none-match"], digest)) {
    // Whoever mirrors us asks for each image, again and again (T35).
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader("Content-Type", mediaTypes.ociIndex);
  response.end(body);
}

/** In the order of their digests, by which clients go on. */
function merged(here: readonly Referrer[], elsewhere: readonly Referrer[]): readonly Referrer[] {
  if (elsewhere.length === 0) return here;
  const all = new Map([...elsewhere, ...here].map((each) => [each.digest, each]));
  return [...all.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

interface Part {
  readonly after: string | undefined;
  /** The last digest that belongs to it; absent: there is no more. */
  readonly end: Digest | undefined;
  readonly artifactType: string | undefined;
}

function isOn({ after = "", end, artifactType }: Part): (referrer: Referrer) => boolean {
  return ({ digest, artifactType: type }) =>
    digest > after &&
    (end === undefined || digest <= end) &&
    (artifactType === undefined || type === artifactType);
}
