import { buffer } from "node:stream/consumers";
import { seconds } from "../../../../../common/clock.ts";
import { all, config, layer, other, pushAll } from "../../../testing/conformance/store.ts";
import { image, streamOf, tag } from "../../../testing/images.ts";
import { day, grace, has, type CollectedStore } from "./store.ts";

/** What collecting promises of what nothing refers to. */
export function describeGarbage(store: CollectedStore): void {
  describe("what nothing refers to", () => {
    test("T60 stays for the grace period, and goes with its bytes after it", async () => {
      await pushAll(store.a, layer, other);
      await store.clock.advance(seconds(grace - 1));
      await expect(store.collect()).resolves.toMatchObject({ state: "Succeeded", bytes: 0 });
      await expect(has(store.a, layer, other)).resolves.toEqual([true, true]);
      await store.clock.advance(seconds(1));
      await expect(store.collect()).resolves.toMatchObject({
        state: "Succeeded",
        removed: { link: 2, blob: 2, repository: 1, manifest: 0, tag: 0, file: 0 },
        bytes: layer.bytes.length + other.bytes.length,
      });
      await expect(has(store.a, layer, other)).resolves.toEqual([false, false]);
      await expect(store.content.usage()).resolves.toBe(0);
      await expect(store.a.known()).resolves.toBe(false);
    });

    test.each([
      {
        because: "it was mounted",
        renew: async () => store.b.mountBlob(layer.descriptor.digest, store.a.name),
        where: () => store.b,
      },
      {
        because: "it was pushed again",
        renew: async () => store.a.push(layer.descriptor, streamOf(layer)),
        where: () => store.a,
      },
      {
        because: "a client was told that it is there",
        renew: async () => store.a.relyOnBlob(layer.descriptor.digest),
        where: () => store.a,
      },
      {
        because: "a sync found it",
        renew: async () => (await store.a.ingest(layer.descriptor)).commit(),
        where: () => store.a,
      },
    ])("T60 has a fresh grace period when $because", async ({ renew, where }) => {
      await pushAll(store.a, layer);
      await store.clock.advance(day);
      await renew();
      await store.clock.advance(seconds(grace - 1));
      await store.collect();
      await expect(has(where(), layer)).resolves.toEqual([true]);
      const manifest = image(layer, []);
      await pushAll(where(), manifest);
      await store.clock.advance(day);
      await store.collect();
      await expect(has(where(), layer, manifest)).resolves.toEqual([true, true]);
    });

    test("stays while it is pinned, and while its transfer goes on", async () => {
      await pushAll(store.a, layer, other);
      const unpin = store.a.pin([layer.descriptor.digest]);
      const ingest = await store.a.ingest(other.descriptor);
      await store.clock.advance(day);
      await expect(store.collect()).resolves.toMatchObject({ removed: { link: 0, blob: 0 } });
      unpin();
      unpin();
      await ingest.suspend();
      await expect(store.collect()).resolves.toMatchObject({ removed: { link: 2, blob: 2 } });
    });

    test("goes from the repository that does not need it, and stays in the other", async () => {
      const manifest = image(config, [layer]);
      await pushAll(store.a, config, layer, manifest);
      await pushAll(store.b, config, layer);
      await store.clock.advance(day);
      await store.collect();
      expect(store.gone("link").sort()).toEqual([config.descriptor.digest, layer.descriptor.digest].sort());
      expect(store.gone("repository")).toEqual(["team/b"]);
      await expect(has(store.a, config, layer, manifest)).resolves.toEqual([true, true, true]);
      await expect(store.a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
    });

    test("T63 stays in every other repository when one has deleted its image", async () => {
      const manifest = image(config, [layer]);
      await pushAll(store.a, config, layer, manifest);
      await pushAll(store.b, config, layer, manifest);
      await store.a.deleteManifest(manifest.descriptor.digest);
      await store.clock.advance(day);
      await store.collect();
      await expect(store.a.known()).resolves.toBe(false);
      await expect(store.b.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
      await expect(store.b.fetch(manifest.descriptor).then(buffer)).resolves.toEqual(manifest.bytes);
    });

    test("T70 makes its repository vanish, with its row", async () => {
      const manifest = image(config, [layer]);
      await pushAll(store.a, config, layer, manifest);
      await store.a.tag(manifest.descriptor, tag("v1"));
      await store.a.deleteManifest(manifest.descriptor.digest);
      await expect(all(store.content.list())).resolves.toEqual([]);
      await expect(store.a.known()).resolves.toBe(true);
      await store.clock.advance(day);
      await store.collect();
      await expect(store.a.known()).resolves.toBe(false);
      await pushAll(store.a, config, layer, manifest);
      await expect(all(store.content.list())).resolves.toEqual(["team/a"]);
    });

    test("T68 is no longer there once a client has deleted it, and its bytes go at once", async () => {
      await pushAll(store.a, layer);
      await store.a.deleteBlob(layer.descriptor.digest);
      await store.collect();
      expect(store.gone("blob")).toEqual([layer.descriptor.digest]);
      await expect(store.content.usage()).resolves.toBe(0);
    });

    test("goes at most once, and a second collection finds nothing to do", async () => {
      await pushAll(store.a, layer);
      await store.clock.advance(day);
      const both = await Promise.all([store.collect(), store.collect()]);
      expect(both.map(({ removed: { blob } }) => blob).sort()).toEqual([0, 1]);
    });

    test("T65 goes also when its file is gone already", async () => {
      await pushAll(store.a, layer, other);
      await store.content.scrubbed.blobs.remove(layer.descriptor.digest);
      await store.clock.advance(day);
      await expect(store.collect()).resolves.toMatchObject({ state: "Succeeded", removed: { blob: 2 } });
    });
  });
}
