import { seconds } from "../../../../../common/clock.ts";
import { config, layer, other, pushAll } from "../../../testing/conformance/store.ts";
import { families, image, tag } from "../../../testing/images.ts";
import { day, has, retention, type CollectedStore } from "./store.ts";

/** What collecting promises of manifests without a tag. */
export function describeUntagged(store: CollectedStore): void {
  describe.each(families)("T06 the untagged of $family images", (family) => {
    const options = { mediaType: family.manifest };
    const one = image(config, [layer], options);
    const two = image(config, [other], options);

    test("T74 the untagged stay where no rule names a delay", async () => {
      await pushAll(store.a, config, layer, one);
      await store.clock.advance(seconds(365 * 86_400));
      await expect(store.collect()).resolves.toMatchObject({ bytes: 0 });
      await expect(has(store.a, one, layer)).resolves.toEqual([true, true]);
    });

    test("T74 the untagged go after the delay, and the tagged never do", async () => {
      await pushAll(store.a, config, layer, other, one, two);
      await store.a.tag(two.descriptor, tag("v1"));
      const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 86_400 }) };
      await store.collect(rules);
      await store.clock.advance(seconds(86_399));
      await store.collect(rules);
      await expect(has(store.a, one)).resolves.toEqual([true]);
      await store.clock.advance(seconds(1));
      await store.collect(rules);
      expect(store.gone("manifest")).toEqual([one.descriptor.digest]);
      await store.clock.advance(day);
      await store.collect(rules);
      await expect(has(store.a, one, layer, two, other)).resolves.toEqual([false, false, true, true]);
    });

    test("the delay begins anew when it had a tag in between", async () => {
      await pushAll(store.a, config, layer, one);
      const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 86_400 }) };
      await store.collect(rules);
      await store.clock.advance(day);
      await store.a.tag(one.descriptor, tag("v1"));
      await store.a.untag(tag("v1"));
      await store.collect(rules);
      await expect(has(store.a, one)).resolves.toEqual([true]);
    });
  });
}
