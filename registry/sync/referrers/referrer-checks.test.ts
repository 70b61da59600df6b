import { seconds } from "../../../common/clock.ts";
import { digestOf } from "../../../common/oci/digest.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { repository } from "../../content/testing/images.ts";
import { everyPlatform } from "../planning/platform.ts";
import { ReferrerChecks } from "./referrer-checks.ts";

describe("what refers to an image", () => {
  const image = {
    repository: repository("apps/hello"),
    root: { mediaType: mediaTypes.ociManifest, digest: digestOf("image"), size: 5 },
    platforms: everyPlatform,
  };
  let clock: ManualClock;
  let checks: ReferrerChecks;

  /** How often it is asked for within so many seconds, if somebody looks every five. */
  const asked = async (duration: number): Promise<number> => {
    let count = 0;
    for (let second = 0; second < duration; second += 5) {
      if (checks.due(image)) {
        checks.done(image);
        count++;
      }
      await clock.advance(seconds(5));
    }
    return count;
  };

  beforeEach(() => {
    clock = new ManualClock();
    checks = new ReferrerChecks(clock, seconds(60), seconds(3600));
  });

  test("T17 is asked for every minute at first: a signature comes soon after its image", async () => {
    await expect(asked(600)).resolves.toBe(10);
  });

  test("T35 is asked for ever more rarely, but every hour at least", async () => {
    await asked(600);
    const day = await asked(86_400);
    expect(day).toBeGreaterThan(24);
    expect(day).toBeLessThan(80);
    await expect(asked(36_000)).resolves.toBe(10);
  });

  test("is asked for at once when the image is another, is new again, or somebody wants to know", async () => {
    await asked(86_400);
    const other = { ...image, root: { ...image.root, digest: digestOf("other") } };
    expect([checks.due(image), checks.due(other)]).toEqual([false, true]);
    checks.clear();
    expect(checks.due(image)).toBe(true);
    await asked(60);
    checks.retain([]);
    expect(checks.due(image)).toBe(true);
  });
});
