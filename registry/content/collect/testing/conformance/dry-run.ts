import { buffer } from "node:stream/consumers";
import { config, layer, other, pushAll } from "../../../testing/conformance/store.ts";
import { image, tag } from "../../../testing/images.ts";
import { day, has, retention, third, type CollectedStore } from "./store.ts";

/** What a collection promises that only says what it would do. */
export function describeDryRun(store: CollectedStore): void {
  describe("T71 a dry run", () => {
    test("removes nothing, and says what the run after it then removes", async () => {
      const old = image(config, [layer]);
      const signature = image(config, [third], { subject: old.descriptor });
      await pushAll(store.a, config, layer, third, old, signature);
      await store.a.tag(old.descriptor, tag("old"));
      await pushAll(store.b, other);
      await store.clock.advance(day);
      const kept = image(config, []);
      await pushAll(store.a, kept);
      await store.a.tag(kept.descriptor, tag("new"));
      await store.clock.advance(day);
      const rules = {
        retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
      };
      const usage = await store.content.usage();

      const planned = await store.collect({ ...rules, dryRun: true });
      const said = store.removed;
      await expect(store.content.usage()).resolves.toBe(usage);
      await expect(has(store.a, old, signature, layer, third)).resolves.not.toContain(false);
      await expect(has(store.b, other)).resolves.toEqual([true]);
      await expect(store.a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);

      const done = await store.collect(rules);
      expect(store.removed).toEqual(said);
      expect(done).toEqual({ ...planned, dryRun: false });
      expect(said.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["tag", "manifest", "link", "blob", "repository"]),
      );
    });
  });
}
