import type { Duration } from "luxon";
import { milliseconds, type Clock } from "../../../common/clock.ts";
import type { Descriptor } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import { longer, shorter } from "../schedule/durations.ts";
import type { PlatformFilter } from "../planning/platform.ts";

interface Image {
  readonly repository: RepositoryName;
  readonly root: Descriptor;
  readonly platforms: PlatformFilter;
}

/** Of the time for which an image is known. */
const part = 10;

interface Check {
  /** When the image was first looked at, and when last: by the clock that nobody sets. */
  readonly first: number;
  readonly last: number;
}

/**
 * When to ask again for the referrers of an image that has not changed: a signature may come later than its image
 * (T17c), but a request per image and pass would be too much. The longer an image is known, the rarer that becomes.
 */
export class ReferrerChecks {
  private readonly clock: Clock;
  private readonly least: Duration;
  private readonly most: Duration;
  private checked = new Map<string, Check>();

  /** @param least between two questions for one image @param most likewise */
  constructor(clock: Clock, least: Duration, most: Duration) {
    this.clock = clock;
    this.least = least;
    this.most = most;
  }

  due(image: Image): boolean {
    const check = this.checked.get(keyOf(image));
    if (check === undefined) return true;
    const rest = longer(this.least, shorter(milliseconds((check.last - check.first) / part), this.most));
    return check.last + rest.toMillis() <= this.clock.steady();
  }

  done(image: Image): void {
    const last = this.clock.steady();
    const { first = last } = this.checked.get(keyOf(image)) ?? {};
    this.checked.set(keyOf(image), { first, last });
  }

  /** Somebody wants everything looked at now. */
  clear(): void {
    this.checked.clear();
  }

  /** Forgets all but `images`. */
  retain(images: readonly Image[]): void {
    const kept = new Map<string, Check>();
    for (const key of images.map(keyOf)) {
      const check = this.checked.get(key);
      if (check !== undefined) kept.set(key, check);
    }
    this.checked = kept;
  }
}

function keyOf({ repository, root, platforms }: Image): string {
  return `${repository}@${root.digest} ${platforms.key}`;
}
