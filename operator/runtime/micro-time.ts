import type { DateTime } from "luxon";

/** As Kubernetes' MicroTime wants it: UTC, with exactly six digits of a second. */
export function microTime(time: DateTime<true>): string {
  return time.toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'000Z'");
}
