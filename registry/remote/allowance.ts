import type { IncomingHttpHeaders } from "node:http";
import { DateTime, type Duration } from "luxon";
import { milliseconds, seconds } from "../../common/clock.ts";

/** What a peer says we may still ask of it. */
interface Allowance {
  readonly remaining: number;
  readonly limit: number | undefined;
  /** Until there is more; of a rolling window its length. */
  readonly resetSeconds: number | undefined;
}

/** Below this share of what is allowed we slow down, and leave something to others who share it. */
const lowShare = 0.1;
/** Below so many where nobody says how many are allowed. */
const lowCount = 2;
/** However far what is left must reach: a request a minute is no burden to anybody. */
const longestPause = seconds(60);

/**
 * How long to wait before the next request, so that what the peer still allows lasts until it allows more (T35);
 * `undefined` while there is enough, or it does not say. With nothing left, until there is more.
 *
 * Understood are `RateLimit` and `RateLimit-Remaining` of the IETF's drafts, as Docker Hub and GitLab have them,
 * `X-RateLimit-Remaining` of GitHub, and ACR's calls per second.
 *
 * @param now for peers that name a moment and do not show their own clock
 */
export function pauseFor(headers: IncomingHttpHeaders, now: DateTime): Duration | undefined {
  const shown = DateTime.fromHTTP(headers.date ?? "");
  const allowance = allowanceOf(headers, (shown.isValid ? shown : now).toSeconds());
  if (allowance === undefined) return undefined;
  const { remaining, limit, resetSeconds = 1 } = allowance;
  if (remaining >= 1 && remaining >= (limit === undefined ? lowCount : limit * lowShare)) return undefined;
  if (remaining < 1) return seconds(resetSeconds);
  const spaced = Math.min((1000 * resetSeconds) / remaining, longestPause.toMillis());
  return milliseconds(Math.ceil(spaced));
}

function allowanceOf(headers: IncomingHttpHeaders, nowSeconds: number): Allowance | undefined {
  const read = (name: string): string => [headers[name] ?? ""].flat()[0] ?? "";
  const structured = /(?:^|[\s;,])r=(\d{1,12})/.exec(read("ratelimit"))?.[1];
  if (structured !== undefined) {
    const reset = /(?:^|[\s;,])t=(\d{1,12})/.exec(read("ratelimit"))?.[1];
    const limit = /(?:^|[\s;,])q=(\d{1,12})/.exec(read("ratelimit-policy"))?.[1];
    return { remaining: Number(structured), limit: numberOf(limit), resetSeconds: numberOf(reset) };
  }
  for (const prefix of ["ratelimit", "x-ratelimit"]) {
    // Docker Hub: `76;w=21600`.
    const [, remaining, window] =
      /^(\d{1,12})(?:\s*;\s*w=(\d{1,12}))?/.exec(read(`${prefix}-remaining`)) ?? [];
    if (remaining === undefined) continue;
    const limit = /^\d{1,12}/.exec(read(`${prefix}-limit`))?.[0];
    const reset = numberOf(/^\d{1,12}$/.exec(read(`${prefix}-reset`))?.[0]);
    const resetSeconds = reset === undefined ? numberOf(window) : untilReset(reset, nowSeconds);
    return { remaining: Number(remaining), limit: numberOf(limit), resetSeconds };
  }
  const calls = /^\d{1,9}(?:\.\d{1,9})?$/.exec(read("x-ms-ratelimit-remaining-calls-per-second"))?.[0];
  return calls === undefined ? undefined : { remaining: Number(calls), limit: undefined, resetSeconds: 1 };
}

/** Seconds from now, or for some the moment itself: no window is as long as the time since 1970. */
function untilReset(reset: number, nowSeconds: number): number {
  return reset > 1_000_000_000 ? Math.max(1, reset - nowSeconds) : reset;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
