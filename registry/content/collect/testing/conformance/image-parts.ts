import { seconds } from "../../../../../common/clock.ts";
import { all, config, layer, other, pushAll } from "../../../testing/conformance/store.ts";
import { families, image, index, tag } from "../../../testing/images.ts";
import { day, has, hour, retention, third, type CollectedStore } from "./store.ts";

/** What collecting promises of what belongs to images: children, signatures, layers. */
export function describeImageParts(store: CollectedStore): void {
  describe.each(families)("T06 what belongs to $family images", (family) => {
    const options = { mediaType: family.manifest };
    const one = image(config, [layer], options);
    const two = image(config, [other], options);
    const both = index([one, two], family.index);

    test("T61 children of an index stay, also of nested and of sparse ones", async () => {
      const outer = index([both], family.index);
      const sparse = index([one, image(config, [third], options)], family.index);
      await pushAll(store.a, config, layer, other, one, two, both, outer);
      await store.a.putManifest(sparse.bytes, family.index, { tags: [tag("sparse")] });
      await store.a.tag(outer.descriptor, tag("v1"));
      const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }) };
      for (let n = 0; n < 3; n++) {
        await store.clock.advance(day);
        await expect(store.collect(rules)).resolves.toMatchObject({
          state: "Succeeded",
          removed: { manifest: 0 },
        });
      }
      await expect(has(store.a, one, two, both, outer, sparse, layer, other)).resolves.not.toContain(false);
    });

    test("T73 an image that goes takes its children, its signatures and its layers with it", async () => {
      const outer = index([both], family.index);
      const signature = image(config, [third], { ...options, subject: one.descriptor });
      const onSignature = image(config, [], { ...options, subject: signature.descriptor });
      const cosign = image(third, [], options);
      await pushAll(
        store.a,
        config,
        layer,
        other,
        third,
        one,
        two,
        both,
        outer,
        signature,
        onSignature,
        cosign,
      );
      await store.a.tag(outer.descriptor, tag("old"));
      await store.a.tag(cosign.descriptor, tag(`${outer.descriptor.digest.replace(":", "-")}.sig`));
      await store.clock.advance(day);
      const kept = image(other, [], options);
      await pushAll(store.a, kept);
      await store.a.tag(kept.descriptor, tag("new"));
      await store.clock.advance(day);
      await store.collect({
        retention: retention({ repositories: ["team/*"], tags: [{ include: ["*"], keepNewest: 1 }] }),
      });
      expect(store.gone("tag")).toEqual(["old"]);
      await expect(
        has(store.a, outer, both, one, two, signature, onSignature, cosign, config, layer, third),
      ).resolves.not.toContain(true);
      await expect(has(store.a, kept, other)).resolves.toEqual([true, true]);
      await expect(all(store.a.tags())).resolves.toEqual(["new"]);
    });

    test("T73 signatures of what is kept stay, and count nowhere", async () => {
      const signature = image(config, [third], { ...options, subject: one.descriptor });
      const cosign = image(third, [], options);
      await pushAll(store.a, config, layer, third, one, signature, cosign);
      await store.a.tag(one.descriptor, tag("v1"));
      await store.clock.advance(hour);
      const about = one.descriptor.digest.replace(":", "-");
      for (const name of [about, `${about}.sig`, `${about}.att`])
        await store.a.tag(cosign.descriptor, tag(name));
      await store.a.tag(signature.descriptor, tag("signature"));
      await store.clock.advance(seconds(30 * 86_400));
      await store.collect({
        retention: retention({
          repositories: ["**"],
          tags: [{ include: ["*"], keepNewest: 1 }],
          untaggedAfterSeconds: 0,
        }),
      });
      expect(store.removed).toEqual([]);
      await expect(has(store.a, one, signature, cosign)).resolves.toEqual([true, true, true]);
    });

    test("a signature whose image a client has deleted is like any untagged manifest", async () => {
      const cosign = image(third, [], options);
      await pushAll(store.a, config, layer, third, one, cosign);
      await store.a.tag(cosign.descriptor, tag(`${one.descriptor.digest.replace(":", "-")}.sig`));
      await store.a.deleteManifest(one.descriptor.digest);
      await store.clock.advance(day);
      await store.collect({
        retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
      });
      await expect(has(store.a, cosign)).resolves.toEqual([true]);
      await store.collect({ retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }) });
      await expect(has(store.a, cosign)).resolves.toEqual([false]);
    });

    test("a child that another index names stays", async () => {
      const second = index([one], family.index);
      await pushAll(store.a, config, layer, other, one, two, both, second);
      await store.a.tag(both.descriptor, tag("old"));
      await store.clock.advance(day);
      await store.a.tag(second.descriptor, tag("new"));
      await store.clock.advance(day);
      await store.collect({
        retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
      });
      await expect(has(store.a, both, two, other)).resolves.toEqual([false, false, false]);
      await expect(has(store.a, second, one, layer)).resolves.toEqual([true, true, true]);
    });

    test("T16 what is pulled by its digest stays", async () => {
      await pushAll(store.a, config, layer, other, one, two, both);
      await store.a.tag(both.descriptor, tag("v1"));
      const rules = {
        retention: retention({
          repositories: ["**"],
          tags: [{ include: ["*"], keepPulledWithinSeconds: 7 * 86_400 }],
          untaggedAfterSeconds: 86_400,
        }),
      };
      for (let n = 0; n < 20; n++) {
        await store.clock.advance(day);
        store.a.pulled(one.descriptor.digest);
        await store.collect(rules);
      }
      await expect(has(store.a, both, one, layer)).resolves.toEqual([true, true, true]);
      await store.clock.advance(seconds(8 * 86_400));
      await store.collect(rules);
      await expect(has(store.a, both, one, layer)).resolves.toEqual([false, false, false]);
    });
  });
}
