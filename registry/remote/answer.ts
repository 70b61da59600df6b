import type { IncomingMessage } from "node:http";
import { DateTime, type Duration } from "luxon";
import { milliseconds, seconds } from "../../common/clock.ts";
import { readBody } from "../../common/http/body.ts";
import { DeniedError, NotFoundError, ProtocolError, RateLimitedError, UnreachableError } from "./errors.ts";

const maxErrorBytes = 64 * 1024;

/**
 * What an answer that is no success means; 401 is not for here. Reads the body to its end, so that the connection can
 * be used again. The peer's own words are untrusted and not repeated.
 *
 * @param foreign whether a host gave it that the parent had redirected us to
 */
export async function refusal(response: IncomingMessage, host: string, foreign: boolean): Promise<Error> {
  const status = response.statusCode ?? 0;
  const codes = await readBody(response, maxErrorBytes).then(errorCodes, () => [] as readonly unknown[]);
  const wait = retryAfter(response);
  if (status === 429 || codes.includes("TOOMANYREQUESTS") || (status === 503 && wait !== undefined)) {
    return new RateLimitedError(`${host} limits the rate of requests.`, wait);
  }
  if (status === 404) return new NotFoundError(`${host} has no such thing.`);
  // A signed address of a content host that has run out: the next redirect gives a fresh one (T31).
  if (status >= 500 || status === 408 || (foreign && (status === 401 || status === 403))) {
    return new UnreachableError(`${host} answered ${status}.`);
  }
  if (status === 403) return new DeniedError(`${host} denies access.`);
  return new ProtocolError(`${host} answered ${status}.`, status);
}

/** `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3); a date counts from the peer's own clock. */
function retryAfter({ headers }: IncomingMessage): Duration | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return seconds(Number(text));
  const until = DateTime.fromHTTP(text);
  const now = DateTime.fromHTTP(headers.date ?? "");
  return until.isValid && now.isValid
    ? milliseconds(Math.max(0, until.toMillis() - now.toMillis()))
    : undefined;
}

function errorCodes(body: Buffer): readonly unknown[] {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as {
      readonly errors?: readonly { code?: unknown }[];
    };
    return errors?.map((error) => error.code) ?? [];
  } catch {
    return [];
  }
}
