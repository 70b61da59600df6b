import type { IncomingHttpHeaders } from "node:http";
import type { Digest } from "../../common/oci/digest.ts";
import { ConditionFailedError, type Condition } from "../content/condition.ts";

/** The entity tag of content: its digest is a strong one. */
export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** Whether a list of entity tags, as in `If-None-Match`, names `digest` (RFC 9110, 13.1.2). */
export function names(header: string | undefined, digest: Digest): boolean {
  return header !== undefined && namesExactly(header.replaceAll("W/", ""), digest);
}

/** @throws {ConditionFailedError} unless a read may be of `digest`, as `If-Match` says (RFC 9110, 13.1.1) */
export function demandMatch({ "if-match": wanted }: IncomingHttpHeaders, digest: Digest): void {
  if (wanted !== undefined && !namesExactly(wanted, digest)) throw new ConditionFailedError(digest);
}

/**
 * What a write demands of what is there (RFC 9110, 13.1): `If-Match` that it is one of these, `If-None-Match` that it
 * is none of them.
 */
export function conditionOf(headers: IncomingHttpHeaders): Condition["holds"] | undefined {
  const wanted = headers["if-match"];
  const unwanted = headers["if-none-match"];
  if (wanted === undefined && unwanted === undefined) return undefined;
  return (current) => {
    if (current === undefined) return wanted === undefined;
    return (wanted === undefined || namesExactly(wanted, current)) && !names(unwanted, current);
  };
}

/** As `If-Match` compares: a weak entity tag names nothing. */
function namesExactly(header: string, digest: Digest): boolean {
  return header.split(",").some((tag) => tag.trim() === "*" || tag.trim() === etagOf(digest));
}
