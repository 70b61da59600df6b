import { buffer } from "node:stream/consumers";
import { InvalidManifestError } from "../../../../common/oci/manifest.ts";
import { ContentInUseError, ContentNotFoundError, TagNotFoundError } from "../../store.ts";
import { families, image, index, streamOf, tag } from "../images.ts";
import { all, config, layer, other, pushAll, type StoreUnderTest } from "./store.ts";

/** What every content store promises of manifests, of both media families alike. */
export function describeManifests(store: StoreUnderTest): void {
  describe.each(families)("T06 $family manifests", (family) => {
    const options = { mediaType: family.manifest };
    const one = image(config, [layer], options);
    const two = image(config, [other], options);
    const both = index([one, two], family.index);

    test("are read as they were pushed", async () => {
      await pushAll(store.a, config, layer, one);
      await expect(store.a.fetch(one.descriptor).then(buffer)).resolves.toEqual(one.bytes);
      await expect(store.a.manifest(one.descriptor.digest)).resolves.toMatchObject({
        descriptor: one.descriptor,
      });
      await expect(store.b.exists(one.descriptor)).resolves.toBe(false);
    });

    test("are refused while a blob is missing", async () => {
      await pushAll(store.a, config);
      await pushAll(store.b, layer);
      await expect(store.a.push(one.descriptor, streamOf(one))).rejects.toMatchObject({
        name: ContentNotFoundError.name,
        digest: layer.descriptor.digest,
      });
      await expect(store.a.exists(one.descriptor)).resolves.toBe(false);
    });

    test("are refused when they give a blob another size than it has", async () => {
      await pushAll(store.a, config, layer);
      const lying = image(config, [{ ...layer, descriptor: { ...layer.descriptor, size: 1 } }], options);
      await expect(store.a.push(lying.descriptor, streamOf(lying))).rejects.toMatchObject({
        name: InvalidManifestError.name,
      });
    });

    test("T06 of an index come after its children, but for those left out on purpose", async () => {
      await pushAll(store.a, config, layer, one);
      await expect(store.a.push(both.descriptor, streamOf(both))).rejects.toMatchObject({
        digest: two.descriptor.digest,
      });
      await store.a.push(both.descriptor, streamOf(both), { sparse: [two.descriptor.digest] });
      await expect(store.a.exists(both.descriptor)).resolves.toBe(true);
    });

    test("are deleted with their tags, in one repository only", async () => {
      await pushAll(store.a, config, layer, one);
      await pushAll(store.b, config, layer, one);
      await store.a.tag(one.descriptor, tag("v1"));
      await store.a.deleteManifest(one.descriptor.digest);
      await expect(store.a.resolve(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
      await expect(store.a.exists(one.descriptor)).resolves.toBe(false);
      await expect(store.b.fetch(one.descriptor).then(buffer)).resolves.toEqual(one.bytes);
      await store.b.deleteManifest(one.descriptor.digest);
      await expect(store.content.usage()).resolves.toBe(config.bytes.length + layer.bytes.length);
    });

    test("may be deleted though an index names them: it is sparse then", async () => {
      await pushAll(store.a, config, layer, other, one, two, both);
      await store.a.deleteManifest(one.descriptor.digest);
      await expect(store.a.exists(both.descriptor)).resolves.toBe(true);
    });

    test("of an index may name blobs instead of manifests, as the build cache of BuildKit does", async () => {
      const cache = index([layer, config], family.index);
      await pushAll(store.a, config);
      await expect(pushAll(store.a, cache)).rejects.toMatchObject({ digest: layer.descriptor.digest });
      await pushAll(store.a, layer, cache);
      await expect(store.a.exists(cache.descriptor)).resolves.toBe(true);
      await expect(store.a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
        name: ContentInUseError.name,
      });
    });

    test("S03 are listed in short pages when what they say of themselves is long", async () => {
      await pushAll(store.a, config);
      for (const letter of ["a", "b", "c"]) {
        const artifactType = `application/${letter.repeat(1_500_000)}`;
        await pushAll(store.a, image(config, [], { ...options, subject: one.descriptor, artifactType }));
      }
      const page = await store.a.referrerPage(one.descriptor.digest, { limit: 1000 });
      expect(page).toHaveLength(1);
      await expect(all(store.a.referrers(one.descriptor.digest))).resolves.toHaveLength(3);
    });

    test("are found by their subject, filtered by artifact type", async () => {
      const signature = image(config, [layer], {
        ...options,
        subject: one.descriptor,
        artifactType: "application/vnd.example.signature",
        annotations: { signer: "me" },
      });
      const sbom = image(config, [], { ...options, subject: one.descriptor });
      await pushAll(store.a, config, layer, signature, sbom);
      const found = await all(store.a.referrers(one.descriptor.digest));
      expect(found).toHaveLength(2);
      expect(found).toContainEqual({
        ...signature.descriptor,
        artifactType: "application/vnd.example.signature",
        annotations: { signer: "me" },
      });
      expect(found).toContainEqual({ ...sbom.descriptor, artifactType: config.descriptor.mediaType });
      await expect(
        store.a.referrerPage(one.descriptor.digest, { limit: 10 }, "application/vnd.example.signature"),
      ).resolves.toHaveLength(1);
      await expect(all(store.b.referrers(one.descriptor.digest))).resolves.toEqual([]);
    });
  });
}
