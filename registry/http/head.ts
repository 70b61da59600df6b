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

/** Up to so many bytes, with the head, Node copies a text onto the stack and hands it to the system at once. */
const onStack = 16_384;
const longestHead = 2048;

/**
 * Ends an answer whose head is written with a small body. As one text head and body make one write; of a text and bytes
 * Node makes a list first, with memory of its own, which costs a small answer a fifth of its time.
 */
export function endSmall(response: ServerResponse, bytes: Uint8Array): void {
  if (bytes.length > onStack - longestHead) response.end(bytes);
  else response.end(textOf(bytes), "latin1");
}

/** The texts of bytes that are kept at hand, for as long as they are kept: what is asked for is asked for again. */
const texts = new WeakMap<Uint8Array, string>();

function textOf(bytes: Uint8Array): string {
  const known = texts.get(bytes);
  if (known !== undefined) return known;
  const { buffer, byteOffset, length } = bytes;
  const text = Buffer.from(buffer, byteOffset, length).toString("latin1");
  texts.set(bytes, text);
  return text;
}
