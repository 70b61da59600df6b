import { randomUUID } from "node:crypto";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openMemoryContent, type RegistryContent } from "./content.ts";
import type { ContentRepository } from "./repository.ts";
import { ContentInUseError, ContentNotFoundError } from "./store.ts";
import { families, image, index, item, repository, streamOf, tag, type Item } from "./testing/images.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const foreign = item("a layer of somebody else", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
const cache = item("a cache", "application/vnd.buildkit.cacheconfig.v0");

describe.each(families)(
  "T06 what a $family manifest may lack",
  ({ manifest: mediaType, index: indexType }) => {
    const child = image(config, [], { mediaType });
    const outside = image(config, [foreign], { mediaType });
    let content: RegistryContent;
    let here: ContentRepository;

    beforeEach(async () => {
      content = await openMemoryContent({
        clock: new ManualClock(),
        newId: randomUUID,
        quota: () => undefined,
      });
      here = content.open(repository("team/a"));
      await push(config);
    });

    afterEach(async () => {
      await content.close();
    });

    const push = (each: Item): Promise<void> => here.push(each.descriptor, streamOf(each));
    const put = (each: Item): Promise<unknown> =>
      here.putManifest(each.bytes, each.descriptor.mediaType, { tags: [tag("v1")] });

    test.each([
      { what: "T18 a layer that may be elsewhere", needs: outside, part: foreign },
      { what: "a blob that an index names", needs: index([cache], indexType), part: cache },
    ])("$what is kept for it, whether it comes before or after", async ({ needs, part }) => {
      const { digest } = part.descriptor;
      await put(needs);
      await push(part);
      await expect(here.deleteBlob(digest)).rejects.toThrow(ContentInUseError);
      await here.deleteManifest(needs.descriptor.digest);
      await put(needs);
      await expect(here.deleteBlob(digest)).rejects.toThrow(ContentInUseError);
      await here.deleteManifest(needs.descriptor.digest);
      await here.deleteBlob(digest);
      await expect(here.blobSize(digest)).resolves.toBeUndefined();
    });

    test("a blob that comes to another repository is not kept for this one", async () => {
      await put(outside);
      const other = content.open(repository("team/b"));
      await other.push(foreign.descriptor, streamOf(foreign));
      await other.deleteBlob(foreign.descriptor.digest);
      await expect(other.blobSize(foreign.descriptor.digest)).resolves.toBeUndefined();
    });

    test("a client may push an index before its children; a sync, only without those that it leaves out", async () => {
      const both = index([child], indexType);
      await expect(push(both)).rejects.toThrow(ContentNotFoundError);
      await put(both);
      await expect(here.resolve(tag("v1"))).resolves.toEqual(both.descriptor);
      await push(child);
      await expect(here.manifest(child.descriptor.digest)).resolves.toMatchObject({
        descriptor: child.descriptor,
      });
    });

    test("an image lacks nothing else", async () => {
      await expect(put(image(config, [item("a layer")], { mediaType }))).rejects.toThrow(
        ContentNotFoundError,
      );
    });
  },
);
