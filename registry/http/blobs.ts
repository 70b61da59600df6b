import type { IncomingMessage, ServerResponse } from "node:http";
import { parseDigest, type Digest } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { ByteRange, OpenBlob } from "../content/blobs.ts";
import { ContentNotFoundError } from "../content/store.ts";
import { demandDelete, type PullCall, type RepositoryCall } from "./call.ts";
import { demandMatch, etagOf, names } from "./conditional.ts";
import { endSmall, writeHead } from "./head.ts";
import { observedOf } from "./observe.ts";
import { parseRange } from "./range.ts";
import { send } from "./send.ts";
import { sendArriving } from "./send-arriving.ts";
import type { TransferBuffers } from "./transfer-buffers.ts";

/** GET and HEAD /v2/<name>/blobs/<digest>. At once, if it is a small one that is at hand. */
export function readBlob(call: PullCall): Promise<void> | void {
  const { request, params, reference, parts, repository } = call;
  const digest = reference?.kind === "digest" ? reference.digest : parseDigest(params.digest ?? "");
  parts.content.locks.demandRead(repository.name, { kind: "repository" });
  if (request.method === "HEAD") return describeBlob(call, digest);
  const bytes = repository.recentBlob(digest);
  if (bytes === undefined) return sendStored(call, digest);
  sendSmall(call, digest, bytes);
}

async function describeBlob(call: PullCall, digest: Digest): Promise<void> {
  const { response, repository } = call;
  const size = await repository.blobSize(digest);
  if (size === undefined) throw new ContentNotFoundError(digest);
  const range = begin(call, digest, size);
  // Who pushes an image leaves out what is here, and names it minutes later.
  if (range !== undefined) await repository.relyOnBlob(digest);
  response.end();
}

async function sendStored(call: PullCall, digest: Digest): Promise<void> {
  const { repository, parts } = call;
  const content = await repository.openBlob(digest).catch((error: unknown) => {
    if (error instanceof ContentNotFoundError) return undefined;
    throw error;
  });
  if (content !== undefined) {
    await sendHere(call, digest, content);
    return;
  }
  const brought = await parts.elsewhere.blob(repository, digest);
  if (brought === undefined) throw new ContentNotFoundError(digest);
  if (brought === "here") await sendHere(call, digest, await repository.openBlob(digest));
  else await sendOpen(call, digest, brought, sendArriving);
}

async function sendHere(call: PullCall, digest: Digest, content: Uint8Array | OpenBlob): Promise<void> {
  if (content instanceof Uint8Array) sendSmall(call, digest, content);
  else await sendOpen(call, digest, content, send);
}

async function sendOpen<T extends OpenBlob>(
  call: PullCall,
  digest: Digest,
  content: T,
  sender: (content: T, range: ByteRange, response: ServerResponse, buffers: TransferBuffers) => Promise<void>,
): Promise<void> {
  try {
    const range = begin(call, digest, content.size);
    if (range === undefined) call.response.end();
    else await sender(content, range, call.response, call.parts.buffers);
  } finally {
    await content.close();
  }
}

function sendSmall(call: PullCall, digest: Digest, bytes: Uint8Array): void {
  const range = begin(call, digest, bytes.length);
  if (range === undefined) call.response.end();
  // The same object again has its text kept.
  else if (range.end + 1 - range.start === bytes.length) endSmall(call.response, bytes);
  else endSmall(call.response, bytes.subarray(range.start, range.end + 1));
}

/**
 * Writes the head of an answer.
 *
 * @returns which bytes are to follow; `undefined`: none, the client has them
 * @throws {OciError} `RANGE_INVALID` @throws {ConditionFailedError}
 */
function begin({ request, response }: PullCall, digest: Digest, size: number): ByteRange | undefined {
  observedOf(response).digest = digest;
  demandMatch(request.headers, digest);
  const etag = etagOf(digest);
  const headers = ["Docker-Content-Digest", digest, "ETag", etag, "Accept-Ranges", "bytes"];
  headers.push("Cache-Control", "private, max-age=31536000, immutable");
  if (names(request.headers["if-none-match"], digest)) {
    writeHead(response, 304, headers);
    return undefined;
  }
  const answer = parseRange(wantsRange(request, etag), size);
  if (answer.kind === "unsatisfiable") {
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("Content-Range", `bytes */${size}`);
    throw new OciError("RANGE_INVALID");
  }
  const range = answer.kind === "part" ? answer.range : { start: 0, end: size - 1 };
  if (answer.kind === "part") headers.push("Content-Range", `bytes ${range.start}-${range.end}/${size}`);
  headers.push("Content-Type", "application/octet-stream");
  headers.push("Content-Length", String(range.end - range.start + 1));
  writeHead(response, answer.kind === "part" ? 206 : 200, headers);
  return range;
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
