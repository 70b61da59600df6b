import type { DateTime } from "luxon";
import type { Backoff } from "../../common/backoff.ts";
import type { Clock } from "../../common/clock.ts";
import type { Digest } from "../../common/oci/digest.ts";

interface Rest {
  readonly digest: Digest;
  readonly failures: number;
  readonly until: DateTime;
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

  /** Why `item` failed last, while it rests; `undefined` if it may be tried. */
  restingFor(item: string, digest: Digest): { readonly error: unknown } | undefined {
    const rest = this.resting.get(item);
    return rest?.digest === digest && rest.until > this.clock.now() ? rest : undefined;
  }

  failed(item: string, digest: Digest, error: unknown): void {
    const last = this.resting.get(item);
    const failures = last?.digest === digest ? last.failures + 1 : 1;
    const until = this.clock.now().plus(this.backoff(failures));
    this.resting.set(item, { digest, failures, until, error });
  }

  succeeded(item: string): void {
    this.resting.delete(item);
  }

  /** A person wants everything tried now. */
  clear(): void {
    this.resting.clear();
  }
}
