import type { DateTime, Duration } from "luxon";
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
  private checked = new Map<string, DateTime>();

  constructor(clock: Clock, interval: Duration) {
    this.clock = clock;
    this.interval = interval;
  }

  due(image: Image): boolean {
    const last = this.checked.get(keyOf(image));
    return last === undefined || last.plus(this.interval) <= this.clock.now();
  }

  done(image: Image): void {
    this.checked.set(keyOf(image), this.clock.now());
  }

  /** Forgets all but `images`. */
  retain(images: readonly Image[]): void {
    const kept = new Map<string, DateTime>();
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
