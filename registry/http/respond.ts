import type { IncomingMessage, ServerResponse } from "node:http";
import { hasCode, messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { DigestMismatchError, InvalidDigestError } from "../../common/oci/digest.ts";
import { OciError, type OciErrorCode } from "../../common/oci/errors.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { InvalidReferenceError } from "../../common/oci/reference.ts";
import { TooManyAttemptsError } from "../auth/attempts.ts";
import { ConditionFailedError } from "../content/condition.ts";
import { isStorageFull } from "../content/quota.ts";
import {
  ContentInUseError,
  ContentLockedError,
  ContentNotFoundError,
  TagNotFoundError,
} from "../content/store.ts";
import { UploadBusyError, UploadNotFoundError } from "../content/uploads.ts";
import { DurabilityLostError } from "../content/write-ahead-log.ts";
import { ElsewhereError } from "./elsewhere.ts";
import { setCommonHeaders } from "./head.ts";

/** How much of a refused body is read before the connection is closed: enough for most clients to see the answer. */
const maxDrainedBytes = 8 * 1024 * 1024;

/** What a handler may have said of content that it then could not give. */
const contentHeaders = ["Content-Length", "ETag", "Docker-Content-Digest", "Cache-Control"];

/**
 * The one place where an error becomes an answer. Never throws: where even this fails, the connection ends.
 *
 * @param missing what it means that content was not found
 */
export function respondWithError(
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
  missing: OciErrorCode = "NAME_UNKNOWN",
): void {
  try {
    answer(error, request, response, log, missing);
  } catch (fault) {
    log.error("an error could not be answered", { error: fault, of: error });
    response.destroy();
  }
}

function answer(
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
  missing: OciErrorCode,
): void {
  if (response.destroyed || isClientGone(error)) {
    log.debug("the client went away", { error });
    response.destroy();
    return;
  }
  const refusal = toOciError(error, missing);
  if (error instanceof ElsewhereError) log.debug("what is not here cannot be had now", { error });
  else if (refusal.code === "UNKNOWN" || refusal.code === "UNAVAILABLE")
    log.error("a request failed", { error });
  else if (refusal.code === "STORAGE_FULL") {
    // In short: a client may cause as many of them as it likes.
    log.warn("a write was refused: storage is full", { reason: messageOf(error) });
  }
  if (response.headersSent) {
    // The client must not take what it has for the whole.
    response.destroy();
    return;
  }
  drain(request, response);
  for (const name of contentHeaders) response.removeHeader(name);
  if (refusal.code !== "RANGE_INVALID") response.removeHeader("Content-Range");
  if (error instanceof TooManyAttemptsError) response.setHeader("Retry-After", error.retryAfterSeconds);
  const { sentAs: code, message, detail } = refusal;
  const body = JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
  setCommonHeaders(response);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.statusCode = refusal.status;
  if (request.complete || request.destroyed || response.shouldKeepAlive) {
    response.end(body);
    return;
  }
  // Such a connection is closed when the answer has ended: a client that still sends then would never read it.
  const end = (): void => {
    response.end();
  };
  request.once("end", end).once("close", end);
  response.write(body);
}

function toOciError(error: unknown, missing: OciErrorCode): OciError {
  if (error instanceof OciError) return error;
  if (error instanceof ContentNotFoundError) {
    return new OciError(missing, { detail: { digest: error.digest }, cause: error });
  }
  if (error instanceof TagNotFoundError) {
    return new OciError("MANIFEST_UNKNOWN", { detail: { tag: error.tag }, cause: error });
  }
  if (error instanceof UploadNotFoundError) return new OciError("BLOB_UPLOAD_UNKNOWN", { cause: error });
  if (error instanceof UploadBusyError) return refuse("BLOB_UPLOAD_INVALID", error);
  if (error instanceof DigestMismatchError || error instanceof InvalidDigestError) {
    return refuse("DIGEST_INVALID", error);
  }
  if (error instanceof InvalidReferenceError) return refuse("NAME_INVALID", error);
  if (error instanceof InvalidManifestError) return refuse("MANIFEST_INVALID", error);
  if (error instanceof ContentInUseError) return refuse("UNSUPPORTED", error);
  if (error instanceof ContentLockedError) {
    return new OciError("REGISTRY_DISALLOWED_OPERATION", { detail: { reason: error.message }, cause: error });
  }
  if (error instanceof ConditionFailedError) {
    const { current: digest } = error;
    return new OciError("PRECONDITION_FAILED", { detail: { digest }, cause: error });
  }
  if (error instanceof TooManyAttemptsError) return new OciError("TOOMANYREQUESTS", { cause: error });
  if (error instanceof ElsewhereError) return refuse("UNAVAILABLE", error);
  if (error instanceof DurabilityLostError) return new OciError("UNAVAILABLE", { cause: error });
  if (isStorageFull(error)) return new OciError("STORAGE_FULL", { cause: error });
  // What express says of a path that cannot be decoded.
  if (hasStatus(error, 400)) return new OciError("NAME_INVALID", { cause: error });
  return new OciError("UNKNOWN", { cause: error });
}

function refuse(code: OciErrorCode, error: { readonly message: string }): OciError {
  return new OciError(code, { message: error.message, cause: error });
}

function isClientGone(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].some((code) => hasCode(error, code));
}

function hasStatus(error: unknown, status: number): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === status;
}

function drain(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  if (request.destroyed) {
    // Ending an iteration over a body may destroy the request, but not its connection: nobody can read the rest.
    response.setHeader("Connection", "close");
    return;
  }
  let drained = 0;
  // Whoever stopped reading in the middle still listens, and no data flows as long as somebody does.
  request.removeAllListeners("readable");
  request.on("data", (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > maxDrainedBytes) request.destroy();
  });
}
