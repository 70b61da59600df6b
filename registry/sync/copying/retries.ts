import type { DateTime } from "luxon";
import type { Backoff } from "../../../common/backoff.ts";
import type { Clock } from "../../../common/clock.ts";
import type { Digest } from "../../../common/oci/digest.ts";

interface Rest {
  readonly digest: Digest;
  readonly failures: number;
  readonly until: DateTime;
  /** The same by the clock that nobody sets: a wrong one must not let it rest for years (T58). */
  readonly end: number;
  readonly error: unknown;
}

/**
 * Lets what failed rest, longer each time, so that one broken image is not fetched again in every pass (T13). A new
 * image under the same tag does not rest.
 */
export class Retries {
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly resting = new Map<string, Rest>();

  constructor(clock: Clock, backoff: Backoff) {
    this.clock = clock;
    this.backoff = backoff;
  }

  /** Why `item` failed last, while it rests, and until when; `undefined` if it may be tried. */
  restingFor(item: string, digest: Digest): Pick<Rest, "error" | "until"> | undefined {
    const rest = this.resting.get(item);
    return rest?.digest === digest && rest.end > this.clock.steady() ? rest : undefined;
  }

  /** Whether it has failed since it last succeeded. */
  hasFailed(item: string, digest: Digest): boolean {
    return this.resting.get(item)?.digest === digest;
  }

  /** @returns until when it rests */
  failed(item: string, digest: Digest, error: unknown): DateTime {
    const last = this.resting.get(item);
    const failures = last?.digest === digest ? last.failures + 1 : 1;
    const rest = this.backoff(failures);
    const until = this.clock.now().plus(rest);
    const end = this.clock.steady() + rest.toMillis();
    this.resting.set(item, { digest, failures, until, end, error });
    return until;
  }

  succeeded(item: string): void {
    this.resting.delete(item);
  }

  /** A person wants everything tried now. */
  clear(): void {
    this.resting.clear();
  }
}
