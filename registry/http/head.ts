import type { ServerResponse } from "node:http";
import { observedOf } from "./observe.ts";

const version = ["Docker-Distribution-API-Version", "registry/2.0"] as const;
const noSniffing = ["X-Content-Type-Options", "nosniff"] as const;

/** Sets what every answer says, for those who set headers one by one. */
export function setCommonHeaders(response: ServerResponse): void {
  response.setHeader("X-Request-Id", observedOf(response).requestId);
  response.setHeader(...version);
  response.setHeader(...noSniffing);
}

/**
 * Begins an answer with `headers`, as name and value in turn, to which it adds what every answer says. One list is what
 * Node writes fastest: it saves a fifth of a small answer's time.
 */
export function writeHead(response: ServerResponse, status: number, headers: string[]): void {
  headers.push("X-Request-Id", observedOf(response).requestId, ...version, ...noSniffing);
  response.writeHead(status, headers);
}
