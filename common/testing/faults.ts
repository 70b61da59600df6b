import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { milliseconds, systemClock as clock } from "../clock.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What to do to a body: of the answer, unless it says `of: "request"`. */
type BodyFault = { readonly of?: "request" } & (
  | {
      /**
       * After so many bytes: `cut` loses the connection, `stall` says nothing more, `truncate` ends as if that were
       * all, `flip` changes one bit and goes on.
       */
      readonly kind: "cut" | "stall" | "truncate" | "flip";
      readonly after: number;
    }
  | { readonly kind: "slow"; readonly bytesPerSecond: number }
);

/** What happens to one request. */
export type Fault =
  | BodyFault
  /** Answered here; the target is not asked. For 429, 5xx, redirects and nonsense. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
    }
  /** The target answers, under another status or with other headers; `undefined` takes one away. */
  | { readonly kind: "head"; readonly status?: number; readonly headers?: Headers }
  /** Taken and never answered. */
  | { readonly kind: "silence" }
  /** The connection is lost before anything is answered. */
  | { readonly kind: "reset" };

/** A body ends here, and its connection with it. */
export class ConnectionLost extends Error {}

/** The head of an answer as the client gets it. */
export function headOf(
  headers: IncomingHttpHeaders,
  fault: Fault | undefined,
): Record<string, string | string[]> {
  // What is cut short and shall look whole must not say how long it was.
  const truncated = bodyFault(fault, "answer")?.kind === "truncate" ? { "content-length": undefined } : {};
  const changed = { ...headers, ...truncated, ...(fault?.kind === "head" ? fault.headers : {}) };
  return Object.fromEntries(
    Object.entries(changed).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
}

/** What `fault` does to the body of the request, or of the answer. */
export function bodyFault(fault: Fault | undefined, of: "request" | "answer"): BodyFault | undefined {
  if (fault === undefined || !("after" in fault || "bytesPerSecond" in fault)) return undefined;
  return (fault.of ?? "answer") === of ? fault : undefined;
}

/** @throws {ConnectionLost} */
export async function* spoiled(body: Readable, fault: BodyFault | undefined): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (fault?.kind === "slow") {
      await clock.sleep(milliseconds((1000 * chunk.length) / fault.bytesPerSecond));
      yield chunk;
      continue;
    }
    const left = fault === undefined ? chunk.length : fault.after - at;
    at += chunk.length;
    if (fault === undefined || left < 0 || left >= chunk.length) {
      yield chunk;
      continue;
    }
    if (fault.kind === "flip") {
      yield flipped(chunk, left);
      continue;
    }
    if (left > 0) yield chunk.subarray(0, left);
    if (fault.kind === "truncate") return;
    if (fault.kind === "cut") throw new ConnectionLost("the connection was lost on purpose");
    await once(body, "close");
  }
}

function flipped(chunk: Buffer, at: number): Buffer {
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
