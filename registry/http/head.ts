import type { ServerResponse } from "node:http";
import { observedOf } from "./observe.ts";

/** What every answer says. */
function commonHeaders(response: ServerResponse): readonly [name: string, value: string][] {
  return [
    ["X-Request-Id", observedOf(response).requestId],
    ["Docker-Distribution-API-Version", "registry/2.0"],
    ["X-Content-Type-Options", "nosniff"],
  ];
}

/** Sets what every answer says, for those who set headers one by one. */
export function setCommonHeaders(response: ServerResponse): void {
  for (const [name, value] of commonHeaders(response)) response.setHeader(name, value);
}

/**
 * Begins an answer: what every answer says, then `headers`, as name and value in turn. One list is what Node writes fastest;
 * it saves a fifth of a small answer's time.
 */
export function writeHead(response: ServerResponse, status: number, headers: readonly string[]): void {
  response.writeHead(status, [...commonHeaders(response).flat(), ...headers]);
}
