import { isDigest, parseDigest, type Digest } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import { maxManifestBytes, mediaTypeOf } from "../../common/oci/manifest.ts";
import { InvalidReferenceError, parseTag, type Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import { readBody } from "./body.ts";
import { demandDelete, type PullCall, type RepositoryCall } from "./call.ts";
import { conditionOf, demandMatch, etagOf, names } from "./conditional.ts";
import { endSmall, writeHead } from "./head.ts";
import { observedOf } from "./observe.ts";
import { single } from "./paging.ts";
import { parseReference, type Reference } from "./reference.ts";

/** The most tags that one push may bring. */
const maxTags = 100;

/** GET and HEAD /v2/<name>/manifests/<reference>. At once, if it is here and no rule of freshness is set. */
export function readManifest(call: PullCall): Promise<void> | void {
  const { request, repository, parts } = call;
  const reference = existing(call);
  if (reference.kind === "tag") parts.content.locks.demandRead(repository.name, reference);
  const name = reference.kind === "tag" ? reference.tag : reference.digest;
  const found = repository.find(name);
  if (found === undefined) return bring(call, name);
  const { freshness } = parts.elsewhere;
  if (freshness !== undefined && reference.kind === "tag") {
    const here = found.descriptor.digest;
    const judged = freshness.judge(repository, reference.tag, here, request.method === "GET");
    if (judged instanceof Promise) {
      return judged.then(({ ageSeconds, newer }) => {
        answer(call, newer ?? found, ageSeconds);
      });
    }
    answer(call, judged?.newer ?? found, judged?.ageSeconds);
    return;
  }
  answer(call, found);
}

/** Answers with what is not here, if somebody else has it. */
async function bring(call: PullCall, name: Tag | Digest): Promise<void> {
  const { request, repository, parts } = call;
  const brought = await parts.elsewhere.manifest(repository, name, request.method === "GET");
  if (brought === undefined)
    throw isDigest(name) ? new ContentNotFoundError(name) : new TagNotFoundError(name);
  answer(call, brought);
}

/** @param ageSeconds since a tag was confirmed, where a rule of freshness is about it (RFC 9111, 5.1) */
function answer(call: PullCall, { descriptor, bytes }: StoredManifest, ageSeconds?: number): void {
  const { request, response, repository, parts } = call;
  const { digest, mediaType, size } = descriptor;
  parts.content.locks.demandRead(repository.name, { kind: "manifest", digest });
  repository.pulled(digest);
  observedOf(response).digest = digest;
  demandMatch(request.headers, digest);
  const headers = ["Docker-Content-Digest", digest, "ETag", etagOf(digest)];
  if (ageSeconds !== undefined) headers.push("Age", String(ageSeconds));
  if (names(request.headers["if-none-match"], digest)) {
    writeHead(response, 304, headers);
    response.end();
  } else {
    headers.push("Content-Type", mediaType, "Content-Length", String(size));
    writeHead(response, 200, headers);
    // Node leaves out the bytes when the method is HEAD.
    endSmall(response, bytes);
  }
}

/**
 * PUT /v2/<name>/manifests/<reference>, by digest also with `?tag=`, once or more, and by tag with `?digest=`, which says
 * what the manifest is stored under: so regctl pushes sha512. `If-Match` and `If-None-Match` ask what the tag points at
 * now, or whether the manifest is there.
 */
export async function writeManifest(call: RepositoryCall): Promise<void> {
  const { request, response, repository } = call;
  const reference = parseReference(call.params.reference ?? "");
  const tags = reference.kind === "tag" ? [reference.tag] : queriedTags(request.query.tag);
  const expected = reference.kind === "tag" ? queriedDigest(single(request.query.digest)) : reference.digest;
  const bytes = await readBody(request, maxManifestBytes);
  const holds = conditionOf(request.headers);
  const contentType = request.headers["content-type"]?.split(";")[0]?.trim();
  const { descriptor, manifest } = await repository.putManifest(bytes, contentType ?? mediaTypeOf(bytes), {
    ...(expected === undefined ? {} : { expected }),
    tags,
    ...(holds === undefined ? {} : { condition: { ...tagOf(reference), holds } }),
  });
  response.setHeader("Location", `/v2/${repository.name}/manifests/${descriptor.digest}`);
  response.setHeader("Docker-Content-Digest", descriptor.digest);
  if (manifest.subject !== undefined) response.setHeader("OCI-Subject", manifest.subject);
  if (reference.kind === "digest" && tags.length > 0) response.setHeader("OCI-Tag", tags);
  response.status(201).end();
}

/** DELETE /v2/<name>/manifests/<reference>: a tag only, if it still is what `If-Match` says; or a manifest with its tags */
export async function deleteManifest(call: RepositoryCall): Promise<void> {
  demandDelete(call.parts);
  const reference = existing(call);
  if (reference.kind === "tag") {
    await call.repository.untag(reference.tag, conditionOf(call.request.headers));
  } else await call.repository.deleteManifest(reference.digest);
  call.response.status(202).end();
}

/** A reference to something that may be there: what cannot be a tag is simply not. */
function existing({ params, reference: known }: Pick<PullCall, "params" | "reference">): Reference {
  const { reference = "" } = params;
  try {
    return known ?? parseReference(reference);
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw new TagNotFoundError(reference);
    throw error;
  }
}

function tagOf(reference: Reference): { readonly tag?: Tag } {
  return reference.kind === "tag" ? { tag: reference.tag } : {};
}

function queriedDigest(text: string | undefined): Digest | undefined {
  return text === undefined ? undefined : parseDigest(text);
}

function queriedTags(value: unknown): readonly Tag[] {
  const texts = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (texts.length > maxTags)
    throw new OciError("URI_TOO_LONG", { message: `at most ${maxTags} tags at once` });
  return texts.map((text) => parseTag(String(text)));
}
