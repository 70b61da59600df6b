import type { Request } from "express";
import { OciError } from "../../common/oci/errors.ts";
import type { PageRequest } from "../content/metadata.ts";

/** The longest page, whatever was asked for (S01). */
const maxPage = 1000;
const maxNameLength = 512;

/** Reads `n` and `last`. @throws {OciError} `PAGINATION_NUMBER_INVALID` */
export function parsePage(request: Request): PageRequest {
  const n = single(request.query.n);
  const after = single(request.query.last);
  if (n !== undefined && !/^\d{1,100}$/.test(n)) throw new OciError("PAGINATION_NUMBER_INVALID");
  if (after !== undefined && after.length > maxNameLength) throw new OciError("NAME_INVALID");
  return { after, limit: n === undefined ? maxPage : Math.min(Number(n), maxPage) };
}

/** The value of `Link` that leads to what comes after `last`; `extra` parameters stay. */
export function nextLink(
  path: string,
  limit: number,
  last: string,
  extra: Record<string, string> = {},
): string {
  const query = new URLSearchParams({ ...extra, n: String(limit), last });
  return `<${path}?${query.toString()}>; rel="next"`;
}

/** A query parameter, if it is there once. */
export function single(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
