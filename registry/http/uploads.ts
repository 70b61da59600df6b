import { algorithmOf, parseAlgorithm, parseDigest, type Digest } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import { isRepository, type RepositoryName } from "../../common/oci/reference.ts";
import { networkOf } from "../auth/network.ts";
import type { Upload } from "../content/uploads.ts";
import { may } from "./authorize.ts";
import { bodyOf, exactly } from "./body.ts";
import type { RepositoryCall } from "./call.ts";
import { observedOf } from "./observe.ts";
import { single } from "./paging.ts";
import { parseContentRange } from "./range.ts";

const notARange = "Content-Range is not <start>-<end>";

/**
 * POST /v2/<name>/blobs/uploads/: a mount, a whole blob, or the beginning of an upload, of which `digest-algorithm` may
 * say what its digest will be made with.
 */
export async function beginUpload(call: RepositoryCall): Promise<void> {
  const { request, repository, parts } = call;
  parts.content.locks.demandWrite(repository.name);
  const mount = single(request.query.mount);
  if (mount !== undefined && (await mountBlob(call, parseDigest(mount)))) return;
  const whole = mount === undefined ? single(request.query.digest) : undefined;
  const digest = whole === undefined ? undefined : parseDigest(whole);
  const algorithm = single(request.query["digest-algorithm"]);
  const upload = await parts.content.uploads.create(repository.name, {
    client: clientOf(call),
    algorithm: digest === undefined ? parseAlgorithm(algorithm ?? "sha256") : algorithmOf(digest),
  });
  if (digest === undefined) {
    answer(call, upload, 202);
    return;
  }
  try {
    await upload.append(bodyOf(request));
  } catch (error) {
    await upload.cancel();
    throw error;
  }
  await upload.commit(digest);
  created(call, digest);
}

/** PATCH: the next part. */
export async function continueUpload(call: RepositoryCall): Promise<void> {
  const upload = find(call);
  await append(call, upload);
  answer(call, upload, 202);
}

/** PUT: the last part, which may be empty, and the digest of all. */
export async function finishUpload(call: RepositoryCall): Promise<void> {
  const upload = find(call);
  const digest = parseDigest(single(call.request.query.digest) ?? "");
  await append(call, upload);
  await upload.commit(digest);
  created(call, digest);
}

/** GET: how far it is. */
export async function describeUpload(call: RepositoryCall): Promise<void> {
  answer(call, find(call), 204);
}

/** DELETE: forget it. */
export async function cancelUpload(call: RepositoryCall): Promise<void> {
  await find(call).cancel();
  call.response.status(204).end();
}

/** Whose uploads count together: those of one client, or of all in one network that do not say who they are. */
function clientOf({ session: { principal }, request }: RepositoryCall): string {
  return principal.kind === "client"
    ? `client ${principal.name}`
    : `address ${networkOf(request.socket.remoteAddress ?? "")}`;
}

function find({ params, repository, parts }: RepositoryCall): Upload {
  return parts.content.uploads.find(repository.name, params.id ?? "");
}

/**
 * Mounts what the client may read, from wherever that is if it does not say; otherwise the answer is an upload, as for a
 * blob that is not there (S21).
 */
async function mountBlob(call: RepositoryCall, digest: Digest): Promise<boolean> {
  const { request, repository, session, parts } = call;
  const from = single(request.query.from);
  const readable = (source: RepositoryName): boolean =>
    may(session, "content/read", source, parts) && parts.content.locks.allowsReading(source);
  const named = from === "" ? undefined : from;
  // What is no name is no repository that could be mounted from: the client uploads.
  if (named !== undefined && !isRepository(named)) return false;
  const source = named ?? (await parts.content.holder(digest, readable));
  if (source === undefined || !readable(source)) return false;
  if (!(await repository.mountBlob(digest, source))) return false;
  observedOf(call.response).mountedFrom = source;
  created(call, digest);
  return true;
}

async function append(call: RepositoryCall, upload: Upload): Promise<void> {
  const { request } = call;
  const header = request.headers["content-range"];
  const length = request.headers["content-length"];
  if (header !== undefined) {
    const range = parseContentRange(header, Number(length) === 0);
    if (range?.start !== upload.offset) {
      progress(call, upload);
      throw new OciError("RANGE_INVALID", range === undefined ? { message: notARange } : {});
    }
    const { size } = range;
    if (length !== undefined && Number(length) !== size) throw new OciError("SIZE_INVALID");
    await upload.append(exactly(size, bodyOf(request)));
  } else await upload.append(bodyOf(request));
}

function answer(call: RepositoryCall, upload: Upload, status: number): void {
  progress(call, upload);
  call.response.status(status).end();
}

function progress({ response, repository }: RepositoryCall, { id, offset }: Upload): void {
  response.setHeader("Location", `/v2/${repository.name}/blobs/uploads/${id}`);
  response.setHeader("Docker-Upload-UUID", id);
  response.setHeader("Range", `0-${Math.max(0, offset - 1)}`);
}

function created({ response, repository }: RepositoryCall, digest: Digest): void {
  response.setHeader("Location", `/v2/${repository.name}/blobs/${digest}`);
  response.setHeader("Docker-Content-Digest", digest);
  response.status(201).end();
}
