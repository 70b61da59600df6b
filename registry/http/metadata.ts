import { parseDigest } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import { parseTag } from "../../common/oci/reference.ts";
import { attributeNames, type Attributes, type LockTarget } from "../content/locks/locks.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import { readBody } from "./body.ts";
import type { RepositoryCall } from "./call.ts";
import { answerOf } from "./metadata-answer.ts";

const maxBody = 4096;

/** GET /acr/v1/<name>, …/_tags/<tag> and …/_manifests/<digest>: ACR's metadata of what can be locked */
export async function readMetadata(call: RepositoryCall): Promise<void> {
  const target = targetOf(call);
  const item = await call.parts.content.locks.describe(call.repository.name, target);
  if (item === undefined) throw missing(call, target);
  call.response.json(answerOf(call, target, item));
}

/** PATCH of the same: changes those attributes that the body has, and answers as GET does. */
export async function changeMetadata(call: RepositoryCall): Promise<void> {
  const { request, repository, parts } = call;
  const target = targetOf(call);
  const attributes = attributesIn(await readBody(request, maxBody));
  if (!(await parts.content.locks.change(repository.name, target, attributes))) throw missing(call, target);
  await readMetadata(call);
}

function targetOf({ params }: RepositoryCall): LockTarget {
  if (params.digest !== undefined) return { kind: "manifest", digest: parseDigest(params.digest) };
  return params.tag === undefined ? { kind: "repository" } : { kind: "tag", tag: parseTag(params.tag) };
}

function missing({ repository }: RepositoryCall, target: LockTarget): Error {
  switch (target.kind) {
    case "repository":
      return new OciError("NAME_UNKNOWN", { detail: { name: repository.name } });
    case "tag":
      return new TagNotFoundError(target.tag);
    case "manifest":
      return new ContentNotFoundError(target.digest);
  }
}

/**
 * The attributes in a body. What is not one of them is not looked at (S31); where nothing else is there, somebody believes
 * to lock what would stay open.
 */
function attributesIn(body: Buffer): Partial<Attributes> {
  let document: unknown;
  try {
    document = JSON.parse(body.toString("utf8"));
  } catch {
    throw invalid("the body is not JSON");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw invalid("the body is not a JSON object");
  }
  const given = attributeNames.filter((name) => Object.hasOwn(document, name));
  if (given.length === 0 && Object.keys(document).length > 0) {
    throw invalid(`the body has none of ${attributeNames.join(", ")}`);
  }
  const entries = given.map((name) => {
    const value: unknown = (document as Record<string, unknown>)[name];
    if (typeof value !== "boolean") throw invalid(`${name} is not true or false`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

function invalid(message: string): OciError {
  return new OciError("METADATA_INVALID", { message });
}
