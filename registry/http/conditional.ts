import type { Digest } from "../../common/oci/digest.ts";

/** The entity tag of content: its digest is a strong one. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** Whether a list of entity tags, as in `If-None-Match`, names `digest` (RFC 9110, 13.1.2). */
export function names(header: string | undefined, digest: Digest): boolean {
  if (header === undefined) return false;
  return header
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""))
    .some((tag) => tag === "*" || tag === etagOf(digest));
}
