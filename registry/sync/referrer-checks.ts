import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { Descriptor } from "../../common/oci/digest.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { PlatformFilter } from "./platform.ts";

interface Image {
  readonly repository: RepositoryName;
  readonly root: Descriptor;
  readonly platforms: PlatformFilter;
}

/**
 * When to ask again for the referrers of an image that has not changed: a signature may come later than its image
 * (T17c), but a request per image and pass would be too much.
 */
export class ReferrerChecks {
  private readonly clock: Clock;
  private readonly interval: Duration;
  /** When, by the clock that nobody sets. */
  private checked = new Map<string, number>();

  constructor(clock: Clock, interval: Duration) {
    this.clock = clock;
    this.interval = interval;
  }

  due(image: Image): boolean {
    const last = this.checked.get(keyOf(image));
    return last === undefined || last + this.interval.toMillis() <= this.clock.steady();
  }

  done(image: Image): void {
    this.checked.set(keyOf(image), this.clock.steady());
  }

  /** Somebody wants everything looked at now. */
  clear(): void {
    this.checked.clear();
  }

  /** Forgets all but `images`. */
  retain(images: readonly Image[]): void {
    const kept = new Map<string, number>();
    for (const key of images.map(keyOf)) {
      const last = this.checked.get(key);
      if (last !== undefined) kept.set(key, last);
    }
    this.checked = kept;
  }
}

function keyOf({ repository, root, platforms }: Image): string {
  return `${repository}@${root.digest} ${platforms.key}`;
}
