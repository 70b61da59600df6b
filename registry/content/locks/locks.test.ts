import { randomUUID } from "node:crypto";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openMemoryContent, type RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { ContentLockedError } from "../store.ts";
import { families, image, item, repository, streamOf, tag, unknownDigest } from "../testing/images.ts";
import type { Attributes, LockTarget } from "./locks.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("a layer");
const spare = item("a blob of no image");
const free: Attributes = { deleteEnabled: true, writeEnabled: true, listEnabled: true, readEnabled: true };
const anything: LockTarget = { kind: "repository" };
const v1: LockTarget = { kind: "tag", tag: tag("v1") };

describe.each(families)("T06 locks of $family images", ({ manifest: mediaType }) => {
  const one = image(config, [layer], { mediaType });
  const two = image(config, [], { mediaType, subject: one.descriptor });
  const manifest: LockTarget = { kind: "manifest", digest: one.descriptor.digest };
  let content: RegistryContent;
  let here: ContentRepository;

  beforeEach(async () => {
    const clock = new ManualClock();
    content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
    here = content.open(name);
    for (const each of [config, layer, spare, one]) await here.push(each.descriptor, streamOf(each));
    for (const each of ["v1", "v2"]) await here.tag(one.descriptor, tag(each));
    await here.push(two.descriptor, streamOf(two));
  });

  afterEach(async () => {
    await content.close();
  });

  const writes = {
    "moving the tag": () => here.tag(two.descriptor, tag("v1")),
    "pushing to the tag": () => here.putManifest(two.bytes, mediaType, { tags: [tag("v1")] }),
    "deleting the tag": () => here.untag(tag("v1")),
    "deleting the manifest": () => here.deleteManifest(one.descriptor.digest),
    "pushing another tag": () => here.tag(two.descriptor, tag("new")),
    "pushing a blob": () => here.push(item("new").descriptor, streamOf(item("new"))),
    "mounting a blob": () => here.mountBlob(layer.descriptor.digest, name),
    "deleting a blob": () => here.deleteBlob(spare.descriptor.digest),
    "setting the tag to what it is": () => here.tag(one.descriptor, tag("v1")),
  };
  type Write = keyof typeof writes;
  const tagChanges: readonly Write[] = ["moving the tag", "pushing to the tag"];
  const deletes: readonly Write[] = ["deleting the tag", "deleting the manifest"];
  const all = Object.keys(writes) as Write[];

  const rows: readonly {
    what: string;
    target: LockTarget;
    off: keyof Attributes;
    refused: readonly Write[];
  }[] = [
    { what: "a tag", target: v1, off: "writeEnabled", refused: [...tagChanges, ...deletes] },
    { what: "a tag", target: v1, off: "deleteEnabled", refused: deletes },
    { what: "a manifest", target: manifest, off: "writeEnabled", refused: ["deleting the manifest"] },
    { what: "a manifest", target: manifest, off: "deleteEnabled", refused: ["deleting the manifest"] },
    { what: "a repository", target: anything, off: "writeEnabled", refused: all },
    {
      what: "a repository",
      target: anything,
      off: "deleteEnabled",
      refused: [...deletes, "deleting a blob"],
    },
    { what: "a tag", target: v1, off: "listEnabled", refused: [] },
    { what: "a repository", target: anything, off: "readEnabled", refused: [] },
  ];

  describe.each(rows)("$what whose $off is false", ({ target, off, refused }) => {
    test.each(all)("%s is refused, or not", async (write) => {
      await expect(content.locks.change(name, target, { [off]: false })).resolves.toBe(true);
      const outcome = await writes[write]().then(
        () => "done",
        (error: unknown) => (error instanceof ContentLockedError ? "locked" : error),
      );
      expect(outcome).toBe(refused.includes(write) ? "locked" : "done");
    });
  });

  test("a write that is refused changes nothing, and works when the lock is gone", async () => {
    await content.locks.change(name, v1, { writeEnabled: false });
    await expect(here.deleteManifest(one.descriptor.digest)).rejects.toThrow("tag v1 is locked");
    await expect(here.resolve(tag("v2"))).resolves.toEqual(one.descriptor);
    await content.locks.change(name, v1, { writeEnabled: true });
    await here.deleteManifest(one.descriptor.digest);
    await expect(here.resolve(tag("v1"))).rejects.toThrow("no tag");
  });

  test("listings leave out what may not be listed", async () => {
    await content.locks.change(name, v1, { listEnabled: false });
    await expect(here.tagPage({ limit: 10 })).resolves.toEqual(["v2"]);
    const subject = one.descriptor.digest;
    await expect(here.referrerPage(subject, { limit: 10 })).resolves.toHaveLength(1);
    const referrer: LockTarget = { kind: "manifest", digest: two.descriptor.digest };
    await content.locks.change(name, referrer, { listEnabled: false });
    await expect(here.referrerPage(subject, { limit: 10 })).resolves.toEqual([]);
    await content.locks.change(name, anything, { listEnabled: false });
    await expect(content.page({ limit: 10 })).resolves.toEqual([]);
    await expect(here.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
  });

  test.each([
    { locked: "the repository", target: anything },
    { locked: "the tag", target: v1 },
    { locked: "the manifest", target: manifest },
  ])("what may not be read is refused: $locked", async ({ target }) => {
    const asked = target.kind === "repository" ? v1 : target;
    expect(() => {
      content.locks.demandRead(name, asked);
    }).not.toThrow();
    await content.locks.change(name, target, { readEnabled: false });
    expect(() => {
      content.locks.demandRead(name, asked);
    }).toThrow(ContentLockedError);
    expect(() => {
      content.locks.demandRead(repository("team/b"), asked);
    }).not.toThrow();
    await content.locks.change(name, target, { readEnabled: true });
    expect(() => {
      content.locks.demandRead(name, asked);
    }).not.toThrow();
  });

  test("a tag or manifest of a locked repository keeps its attributes, as in ACR", async () => {
    await content.locks.change(name, anything, { writeEnabled: false });
    for (const target of [v1, manifest]) {
      await expect(content.locks.change(name, target, { readEnabled: false })).rejects.toThrow(
        ContentLockedError,
      );
    }
    await expect(content.locks.change(name, anything, { writeEnabled: true })).resolves.toBe(true);
  });

  test("what is told of a target is what is stored", async () => {
    const { locks } = content;
    await locks.change(name, manifest, { deleteEnabled: false });
    await expect(locks.describe(name, manifest)).resolves.toMatchObject({
      digest: one.descriptor.digest,
      attributes: { ...free, deleteEnabled: false },
      manifest: {
        mediaType,
        imageSize: config.bytes.length + layer.bytes.length + one.bytes.length,
        tags: ["v1", "v2"],
      },
    });
    await expect(locks.describe(name, v1)).resolves.toMatchObject({
      digest: one.descriptor.digest,
      attributes: free,
    });
    await expect(locks.describe(name, anything)).resolves.toMatchObject({
      attributes: free,
      counts: { manifests: 2, tags: 2 },
    });
  });

  test.each<LockTarget>([
    { kind: "tag", tag: tag("nothing") },
    { kind: "manifest", digest: unknownDigest },
  ])("a $kind that is not there has no attributes", async (target) => {
    await expect(content.locks.describe(name, target)).resolves.toBeUndefined();
    await expect(content.locks.change(name, target, { readEnabled: false })).resolves.toBe(false);
    await expect(content.locks.describe(repository("nobody"), anything)).resolves.toBeUndefined();
  });
});
