import type { ByteRange } from "../content/blobs.ts";

/** What a `Range` header asks of content of a known size. */
export type RangeAnswer =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

const whole: RangeAnswer = { kind: "whole" };

/**
 * Reads a `Range` header (RFC 9110, 14.2). What is not one range of bytes is answered with the whole content, as the
 * RFC allows: several ranges are a way to make a server work (S05).
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  if (header === undefined) return whole;
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header);
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return whole;
  if (first === "") return suffix(Number(last), size);
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return whole;
  return start >= size ? { kind: "unsatisfiable" } : { kind: "part", range: { start, end } };
}

function suffix(length: number, size: number): RangeAnswer {
  if (length === 0 || size === 0) return { kind: "unsatisfiable" };
  return { kind: "part", range: { start: Math.max(0, size - length), end: size - 1 } };
}

/**
 * Where the bytes of a chunked upload belong (`Content-Range: <start>-<end>`), or `undefined` if it is not that. An empty
 * chunk has no last byte: clients write its own first, or the one before, which may be -1.
 */
export function parseContentRange(
  header: string,
  empty: boolean,
): { readonly start: number; readonly size: number } | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(-1|\d{1,15})(?:\/.*)?$/.exec(header.trim());
  if (match === null) return undefined;
  const start = Number(match[1]);
  const size = Number(match[2]) - start + 1;
  if (empty && (size === 0 || size === 1)) return { start, size: 0 };
  return size < 1 ? undefined : { start, size };
}
