import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DigestMismatchError } from "../../../../common/oci/digest.ts";
import { ContentInUseError, ContentNotFoundError } from "../../store.ts";
import { image, item, repository, streamOf } from "../images.ts";
import { config, layer, other, pushAll, type StoreUnderTest } from "./store.ts";

/** What every content store promises of blobs. */
export function describeBlobs(store: StoreUnderTest): void {
  describe("blobs", () => {
    test.each([
      { what: "some bytes", blob: layer },
      { what: "no byte at all", blob: item("") },
      { what: "a sha512 digest", blob: item("x", "application/octet-stream", "sha512") },
      { what: "several chunks", blob: item(Buffer.alloc(300_000, "z")) },
    ])("are read as they were pushed: $what", async ({ blob }) => {
      await store.a.push(blob.descriptor, streamOf(blob));
      await expect(store.a.exists(blob.descriptor)).resolves.toBe(true);
      expect((await store.a.fetch(blob.descriptor).then(buffer)).equals(blob.bytes)).toBe(true);
      await expect(store.a.blobSize(blob.descriptor.digest)).resolves.toBe(blob.bytes.length);
    });

    test("are read in part", async () => {
      await pushAll(store.a, layer);
      const part = await store.a.readBlob(layer.descriptor.digest, { start: 6, end: 8 });
      await expect(buffer(part)).resolves.toEqual(Buffer.from("one"));
    });

    test("are no error and no work when they are there already", async () => {
      await pushAll(store.a, layer, layer);
      await expect(store.content.usage()).resolves.toBe(layer.bytes.length);
    });

    test.each([
      { bytes: "layer on", because: "the content ends early" },
      { bytes: "layer onE", because: "a byte is wrong" },
      { bytes: "layer one!", because: "there is more than was claimed" },
    ])("are refused whole when $because", async ({ bytes }) => {
      const push = store.a.push(layer.descriptor, Readable.from([Buffer.from(bytes)]));
      await expect(push).rejects.toMatchObject({ name: DigestMismatchError.name });
      await expect(store.a.exists(layer.descriptor)).resolves.toBe(false);
      await expect(store.content.usage()).resolves.toBe(0);
    });

    test("leave nothing behind when the stream breaks", async () => {
      const broken = new Readable({
        read() {
          this.destroy(new Error("the link was cut"));
        },
      });
      await expect(store.a.push(layer.descriptor, broken)).rejects.toThrow("the link was cut");
      await expect(store.a.exists(layer.descriptor)).resolves.toBe(false);
    });

    test("stop coming in when the signal aborts", async () => {
      const abort = new AbortController();
      const endless = new Readable({ read: () => undefined });
      const push = store.a.push(layer.descriptor, endless, { signal: abort.signal });
      abort.abort();
      await expect(push).rejects.toMatchObject({ name: "AbortError" });
      expect(endless.destroyed).toBe(true);
    });

    test("S20 are not there for a repository that has no link to them", async () => {
      await pushAll(store.a, layer);
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(false);
      await expect(store.b.blobSize(layer.descriptor.digest)).resolves.toBeUndefined();
      await expect(store.b.readBlob(layer.descriptor.digest)).rejects.toMatchObject({
        name: ContentNotFoundError.name,
      });
      await expect(store.b.fetch(layer.descriptor)).rejects.toMatchObject({
        digest: layer.descriptor.digest,
      });
    });

    test("are stored once for all repositories", async () => {
      await pushAll(store.a, layer);
      await pushAll(store.b, layer);
      await expect(store.content.usage()).resolves.toBe(layer.bytes.length);
      await expect(store.b.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
    });

    test("S20 are checked even when another repository has them", async () => {
      await pushAll(store.a, layer);
      await expect(
        store.b.push(layer.descriptor, Readable.from([Buffer.from("guesswork")])),
      ).rejects.toMatchObject({
        name: DigestMismatchError.name,
      });
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(false);
    });

    test("are mounted from a repository that has them, and only then", async () => {
      await pushAll(store.a, layer);
      await expect(store.b.mountBlob(layer.descriptor.digest, store.a.name)).resolves.toBe(true);
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(true);
      await expect(store.b.mountBlob(other.descriptor.digest, store.a.name)).resolves.toBe(false);
      const c = store.content.open(repository("team/c"));
      await expect(c.mountBlob(layer.descriptor.digest, repository("team/none"))).resolves.toBe(false);
      await expect(c.known()).resolves.toBe(false);
    });

    test("are deleted in one repository only, and not while a manifest needs them", async () => {
      const manifest = image(config, [layer]);
      await pushAll(store.a, config, layer, manifest);
      await pushAll(store.b, layer);
      await expect(store.a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
        name: ContentInUseError.name,
      });
      await store.a.deleteManifest(manifest.descriptor.digest);
      await store.a.deleteBlob(layer.descriptor.digest);
      await expect(store.a.exists(layer.descriptor)).resolves.toBe(false);
      await expect(store.b.exists(layer.descriptor)).resolves.toBe(true);
      await expect(store.a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
        name: ContentNotFoundError.name,
      });
    });
  });
}
