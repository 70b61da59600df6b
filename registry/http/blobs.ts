import type { IncomingMessage } from "node:http";
import { parseDigest } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import { ContentNotFoundError } from "../content/store.ts";
import { demandDelete, type RepositoryCall } from "./call.ts";
import { etagOf, names } from "./conditional.ts";
import { parseRange } from "./range.ts";
import { send } from "./send.ts";

/** GET and HEAD /v2/<name>/blobs/<digest> */
export async function readBlob({
  request,
  response,
  params,
  parts,
  repository,
}: RepositoryCall): Promise<void> {
  const digest = parseDigest(params.digest ?? "");
  parts.content.locks.demandRead(repository.name, { kind: "repository" });
  const size = await repository.blobSize(digest);
  if (size === undefined) throw new ContentNotFoundError(digest);
  response.setHeader("Docker-Content-Digest", digest);
  response.setHeader("ETag", etagOf(digest));
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, max-age=31536000, immutable");
  if (names(request.headers["if-none-match"], digest)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader("Content-Type", "application/octet-stream");
  const answer = parseRange(wantsRange(request, etagOf(digest)), size);
  if (answer.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${size}`);
    throw new OciError("RANGE_INVALID");
  }
  const range = answer.kind === "part" ? answer.range : undefined;
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${range.start}-${range.end}/${size}`);
  }
  response.setHeader("Content-Length", range === undefined ? size : range.end - range.start + 1);
  if (request.method === "HEAD") {
    // Who pushes an image leaves out what is here, and names it minutes later.
    await repository.relyOnBlob(digest);
    response.end();
  } else await send(await repository.readBlob(digest, range), response);
}

/** DELETE /v2/<name>/blobs/<digest> */
export async function deleteBlob({ response, params, parts, repository }: RepositoryCall): Promise<void> {
  demandDelete(parts);
  await repository.deleteBlob(parseDigest(params.digest ?? ""));
  response.status(202).end();
}

/** The range that is asked for: only of what is sent, since HEAD says whether the blob is there (RFC 9110, 14.2). */
function wantsRange({ method, headers }: IncomingMessage, etag: string): string | undefined {
  if (method !== "GET") return undefined;
  return headers["if-range"] === undefined || headers["if-range"] === etag ? headers.range : undefined;
}
