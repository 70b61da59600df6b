import { DigestMismatchError } from "../../../../common/oci/digest.ts";
import { ContentNotFoundError, TagNotFoundError } from "../../store.ts";
import { image, repository, tag, unknownDigest } from "../images.ts";
import { all, config, layer, other, pushAll, type StoreUnderTest } from "./store.ts";

/** What every content store promises of tags and repositories. */
export function describeNames(store: StoreUnderTest): void {
  describe("tags", () => {
    const one = image(config, [layer]);
    const two = image(config, [other]);

    test("point at a manifest, and move", async () => {
      await pushAll(store.a, config, layer, other, one, two);
      await store.a.tag(one.descriptor, tag("v1"));
      await expect(store.a.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
      await store.a.tag(two.descriptor, tag("v1"));
      await expect(store.a.resolve(tag("v1"))).resolves.toEqual(two.descriptor);
      await store.a.untag(tag("v1"));
      await expect(store.a.resolve(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
      await expect(store.a.untag(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
      await expect(store.a.exists(two.descriptor)).resolves.toBe(true);
    });

    test("never point at what is not there", async () => {
      await expect(store.a.tag(one.descriptor, tag("v1"))).rejects.toMatchObject({
        name: ContentNotFoundError.name,
      });
      await expect(all(store.a.tags())).resolves.toEqual([]);
    });

    test("are stored together with their manifest", async () => {
      await pushAll(store.a, config, layer);
      await store.a.putManifest(one.bytes, one.descriptor.mediaType, { tags: [tag("v1"), tag("latest")] });
      await expect(all(store.a.tags())).resolves.toEqual(["latest", "v1"]);
      await expect(
        store.a.putManifest(one.bytes, one.descriptor.mediaType, {
          expected: unknownDigest,
          tags: [tag("v2")],
        }),
      ).rejects.toMatchObject({ name: DigestMismatchError.name });
      await expect(all(store.a.tags())).resolves.toEqual(["latest", "v1"]);
    });

    test("are listed in ASCIIbetical order, page by page", async () => {
      await pushAll(store.a, config, layer, one);
      for (const name of ["b", "a", "B", "_x", "10", "9"]) await store.a.tag(one.descriptor, tag(name));
      await expect(all(store.a.tags())).resolves.toEqual(["10", "9", "B", "_x", "a", "b"]);
      await expect(store.a.tagPage({ after: "9", limit: 2 })).resolves.toEqual(["B", "_x"]);
      await expect(store.a.tagPage({ after: "b", limit: 2 })).resolves.toEqual([]);
    });
  });

  describe("repositories", () => {
    test("are listed in ASCIIbetical order when they have a manifest", async () => {
      const one = image(config, [layer]);
      for (const name of ["z", "team/a", "team-x"])
        await pushAll(store.content.open(repository(name)), config, layer, one);
      await pushAll(store.content.open(repository("blobs-only")), layer);
      await expect(all(store.content.list())).resolves.toEqual(["team-x", "team/a", "z"]);
      await expect(store.content.page({ after: "team-x", limit: 1 })).resolves.toEqual(["team/a"]);
      await expect(store.content.open(repository("blobs-only")).known()).resolves.toBe(true);
      await expect(store.content.open(repository("nobody")).known()).resolves.toBe(false);
    });
  });
}
