import type { IncomingHttpHeaders } from "node:http";
import { ProtocolError } from "./errors.ts";

/**
 * Where an upload goes on: at the parent itself, whatever scheme or port it believes to have behind a proxy.
 *
 * @param path what was asked
 * @throws {ProtocolError} if it is somewhere else
 */
export function locationIn({ location }: IncomingHttpHeaders, origin: URL, path: string): string {
  const base = new URL(path, origin);
  const next = URL.canParse(location ?? "", base.href) ? new URL(location ?? "", base) : undefined;
  if (location === undefined || next?.hostname !== base.hostname) {
    throw new ProtocolError(`${origin.host} continues an upload somewhere else.`);
  }
  return `${next.pathname}${next.search}`;
}

/** `OCI-Chunk-Min-Length` of the specification, which a parent with parts of a least size sends. */
export function leastPartIn(headers: IncomingHttpHeaders): { readonly leastPart?: number } {
  const least = headers["oci-chunk-min-length"];
  return typeof least === "string" && /^\d{1,10}$/.test(least) ? { leastPart: Number(least) } : {};
}

/** `Range: 0-<last>`; of an upload without a byte it is `0-0`, or there is none. */
export function offsetIn({ range }: IncomingHttpHeaders): number {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(typeof range === "string" ? range : "") ?? [];
  return last === undefined || last === "0" ? 0 : Number(last) + 1;
}
