import type { IncomingMessage } from "node:http";
import { DateTime, type Duration } from "luxon";
import { milliseconds, seconds } from "../../common/clock.ts";
import { readBody } from "../../common/http/body.ts";
import { parseDigest, type Digest } from "../../common/oci/digest.ts";
import {
  DeniedError,
  NotFoundError,
  ProtocolError,
  RateLimitedError,
  UnreachableError,
  type PeerFault,
} from "./errors.ts";
import { refusedByProxy } from "./proxy.ts";

const maxErrorBytes = 64 * 1024;

/**
 * What an answer that is no success means; 401 is not for here. Reads the body to its end, so that the connection can
 * be used again. The peer's own words are untrusted and not repeated.
 *
 * @param foreign whether a host gave it that the parent had redirected us to
 */
export async function refusal(
  response: IncomingMessage,
  host: string,
  foreign: boolean,
  now: DateTime<true>,
): Promise<Error> {
  const status = response.statusCode ?? 0;
  const faults = await readBody(response, maxErrorBytes).then(faultsOf, () => [] as readonly PeerFault[]);
  const wait = retryAfter(response, now);
  const limited = faults.some(({ code }) => code === "TOOMANYREQUESTS");
  if (status === 429 || limited || (status === 503 && wait !== undefined)) {
    return new RateLimitedError(`${host} limits the rate of requests.`, wait);
  }
  if (status === 407) return refusedByProxy();
  if (status === 404) return new NotFoundError(`${host} has no such thing.`, faults);
  // A signed address of a content host that has run out: the next redirect gives a fresh one (T31).
  if (status >= 500 || status === 408 || (foreign && (status === 401 || status === 403))) {
    return new UnreachableError(`${host} answered ${status}.`);
  }
  if (status === 403) return new DeniedError(`${host} denies access.`);
  return new ProtocolError(`${host} answered ${status}.`, status, faults);
}

/** `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3); a date counts from the peer's own clock, if it shows one. */
function retryAfter({ headers }: IncomingMessage, now: DateTime<true>): Duration | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return seconds(Number(text));
  const until = DateTime.fromHTTP(text);
  const shown = DateTime.fromHTTP(headers.date ?? "");
  const from = shown.isValid ? shown : now;
  return until.isValid ? milliseconds(Math.max(0, until.toMillis() - from.toMillis())) : undefined;
}

/** `errors` of the OCI distribution specification, as far as they can be read. */
function faultsOf(body: Buffer): readonly PeerFault[] {
  let list: unknown;
  try {
    list = (JSON.parse(body.toString("utf8")) as { readonly errors?: unknown } | null)?.errors;
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const { code, detail } = (item ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof code !== "string") return [];
    const digest = digestIn(detail);
    return [digest === undefined ? { code } : { code, digest }];
  });
}

/** What a fault is about: `{"digest": …}`, or in distribution also the digest alone. */
function digestIn(detail: unknown): Digest | undefined {
  const text = typeof detail === "object" && detail !== null && "digest" in detail ? detail.digest : detail;
  try {
    return typeof text === "string" ? parseDigest(text) : undefined;
  } catch {
    return undefined;
  }
}
