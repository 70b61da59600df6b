import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DigestMismatchError } from "../../../../common/oci/digest.ts";
import { image, streamOf } from "../images.ts";
import { layer, other, pushAll, type StoreUnderTest } from "./store.ts";

/** What every content store promises of transfers that may be interrupted, and of its quota. */
export function describeTransfers(store: StoreUnderTest): void {
  describe("transfers", () => {
    test("go on where they stopped", async () => {
      const first = await store.a.ingest(layer.descriptor);
      await first.write(Readable.from([Buffer.from("layer")]));
      await first.suspend();
      const second = await store.a.ingest(layer.descriptor);
      expect(second.offset).toBe(5);
      await second.write(Readable.from([Buffer.from(" one")]));
      await second.commit();
      await expect(store.a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
      await second.suspend();
    });

    test("begin afresh when what came was wrong", async () => {
      const first = await store.a.ingest(layer.descriptor);
      await first.write(Readable.from([Buffer.from("LAYER ONE")]));
      await expect(first.commit()).rejects.toMatchObject({ name: DigestMismatchError.name });
      const second = await store.a.ingest(layer.descriptor);
      expect(second.offset).toBe(0);
      await second.suspend();
      await expect(store.a.exists(layer.descriptor)).resolves.toBe(false);
    });

    test("of one blob wait for each other, and the second finds it done", async () => {
      const first = await store.a.ingest(layer.descriptor);
      const second = store.b.ingest(layer.descriptor);
      await first.write(streamOf(layer));
      await first.commit();
      const done = await second;
      expect(done.offset).toBe(layer.bytes.length);
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(false);
      await done.commit();
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(true);
    });

    test("can be read while they come, whoever makes them", async () => {
      const { digest } = layer.descriptor;
      const watch = store.content.watch(digest);
      expect([watch.offset, watch.drops]).toEqual([0, 0]);
      const begun = watch.changed();
      const ingest = await store.a.ingest(layer.descriptor);
      await begun;
      const content = new PassThrough();
      const writing = ingest.write(content);
      content.write(layer.bytes.subarray(0, 5));
      while (watch.offset < 5) await watch.changed();
      const file = await watch.open();
      const into = Buffer.alloc(layer.bytes.length);
      await expect(file.read(into, 0)).resolves.toBe(5);
      content.end(layer.bytes.subarray(5));
      await writing;
      await ingest.commit();
      await expect(file.read(into.subarray(5), 5)).resolves.toBe(layer.bytes.length - 5);
      expect(into).toEqual(layer.bytes);
      expect([watch.offset, watch.drops]).toEqual([0, 0]);
      await file.close();
      watch.close();
    });

    test("tell those who read them that what came was wrong", async () => {
      const watch = store.content.watch(layer.descriptor.digest);
      const ingest = await store.a.ingest(layer.descriptor);
      await ingest.write(Readable.from([Buffer.from("LAYER ONE")]));
      const ended = watch.changed();
      await expect(ingest.commit()).rejects.toMatchObject({ name: DigestMismatchError.name });
      await ended;
      expect([watch.offset, watch.drops]).toEqual([0, 1]);
      await expect(watch.open()).rejects.toThrow("nobody transfers");
      const left = new AbortController();
      const waiting = watch.changed(left.signal);
      left.abort(new Error("the client went away"));
      await expect(waiting).rejects.toThrow("the client went away");
      watch.close();
    });

    test("stop waiting when the signal aborts", async () => {
      const first = await store.a.ingest(layer.descriptor);
      const abort = new AbortController();
      const second = store.a.ingest(layer.descriptor, abort.signal);
      abort.abort(new Error("the window closed"));
      await expect(second).rejects.toThrow("the window closed");
      await first.suspend();
      await expect(store.a.ingest(layer.descriptor).then(({ offset }) => offset)).resolves.toBe(0);
    });
  });

  describe("the quota", () => {
    test("refuses what does not fit, whichever way it comes, and nothing of it stays", async () => {
      store.quota = layer.bytes.length + other.bytes.length - 1;
      await pushAll(store.a, layer);
      const full = { code: "STORAGE_FULL" };
      await expect(store.a.push(other.descriptor, streamOf(other))).rejects.toMatchObject(full);
      const upload = await store.content.uploads.create(store.a.name);
      await expect(upload.append(streamOf(other))).rejects.toMatchObject(full);
      await upload.cancel();
      const ingest = await store.a.ingest(other.descriptor);
      await expect(ingest.write(streamOf(other))).rejects.toMatchObject(full);
      await ingest.suspend();
      const manifest = image(layer, []);
      await expect(store.a.push(manifest.descriptor, streamOf(manifest))).rejects.toMatchObject(full);
      store.quota += 1;
      await pushAll(store.a, other);
      await expect(store.content.usage()).resolves.toBe(store.quota);
    });
  });
}
