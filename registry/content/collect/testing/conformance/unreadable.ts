import type { Digest } from "../../../../../common/oci/digest.ts";
import { config, layer, other, pushAll } from "../../../testing/conformance/store.ts";
import { image } from "../../../testing/images.ts";
import { day, has, retention, third, type CollectedStore } from "./store.ts";

/** What collecting promises where it cannot know what is needed. */
export function describeUnreadable(store: CollectedStore): void {
  describe("T62 a manifest that cannot be read", () => {
    test("keeps everything of its repository, and others do not wait for it", async () => {
      const manifest = image(config, [layer]);
      await pushAll(store.a, config, layer, other, manifest);
      await pushAll(store.b, third);
      await spoil(manifest.descriptor.digest);
      await store.clock.advance(day);
      const report = await store.collect({
        retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }),
      });
      expect(report).toMatchObject({ state: "Partial", faultCount: 1, removed: { manifest: 0 } });
      expect(report.faults[0]).toMatchObject({ repository: "team/a" });
      expect(report.faults[0]?.message).toContain(manifest.descriptor.digest);
      await expect(has(store.a, config, layer, other)).resolves.toEqual([true, true, true]);
      await expect(has(store.b, third)).resolves.toEqual([false]);
    });

    async function spoil(digest: Digest): Promise<void> {
      await store.content.scrubbed.database.change(() =>
        store.content.scrubbed.database.statements.run(
          "UPDATE manifest_contents SET bytes = ? WHERE digest = ?",
          Buffer.from("{"),
          digest,
        ),
      );
    }
  });
}
