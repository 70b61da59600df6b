import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import pLimit from "p-limit";
import { DigestMismatchError, type Descriptor, type Digest } from "../../../common/oci/digest.ts";
import { parseManifest } from "../../../common/oci/manifest.ts";
import { isManifest, mediaTypes } from "../../../common/oci/mediatype.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import type { Tag } from "../../../common/oci/reference.ts";
import type { RegistryContent } from "../../content/content.ts";
import { ContentNotFoundError } from "../../content/store.ts";
import { families, image, index, item, repository, tag, type Item } from "../../content/testing/images.ts";
import { NotResumableError, UnreachableError } from "../../remote/errors.ts";
import { completeGraph } from "../planning/closure.ts";
import { copyGraph } from "./copy.ts";
import { AttachedTags } from "../referrers/attached-tags.ts";
import { Flights, type Limit } from "./flights.ts";
import { ManifestShelf } from "../planning/manifest-shelf.ts";
import { everyPlatform, NoPlatformError, platformFilter, type PlatformFilter } from "../planning/platform.ts";
import { everyReferrer, referrerFilter, type ReferrerFilter } from "../referrers/referrer-filter.ts";
import { copyReferrers } from "../referrers/referrers.ts";
import { ContentParent, openContent } from "../testing/content-parent.ts";

const name = repository("apps/hello");
const config = item("{}", mediaTypes.ociConfig);

/** An image of its own for `text`, with all that it is made of. */
function imageOf(text: string, mediaType: string = mediaTypes.ociManifest, ...layers: Item[]): Item[] {
  const all = layers.length > 0 ? layers : [item(`layer of ${text}`)];
  const own = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  return [own, ...all, image(own, all, { mediaType })];
}

const root = (items: readonly Item[]): Descriptor => items.at(-1)!.descriptor;

/** An index with a platform per image. */
function indexOf(images: readonly { readonly items: readonly Item[]; readonly platform: string }[]): Item {
  const manifests = images.map(({ items, platform }) => {
    const [os, architecture] = platform.split("/");
    return { ...items.at(-1)!.descriptor, platform: { os, architecture } };
  });
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return item(JSON.stringify(document), mediaTypes.ociIndex);
}

describe("copyGraph", () => {
  let content: RegistryContent;
  let parent: ContentParent;

  beforeEach(async () => {
    const clock = new ManualClock();
    content = await openContent(clock);
    parent = new ContentParent(await openContent(clock));
  });

  afterEach(async () => {
    await content.close();
    await parent.content.close();
  });

  const target = () => content.open(name);
  const options = (platforms: PlatformFilter = everyPlatform, slots = 4) => ({
    limit: pLimit(slots) as Limit,
    platforms,
    flights: new Flights(),
  });
  const copy = (root: Item, platforms?: PlatformFilter) =>
    copyGraph(parent.open(name), target(), root.descriptor, options(platforms));
  const complete = async (root: Item, platforms = everyPlatform) =>
    (await completeGraph(target(), root.descriptor, platforms, new Set())) !== undefined;

  test.each(families)("T02 T05 an index of $family arrives whole and unchanged", async (family) => {
    const images = ["a", "b", "c"].map((text) => imageOf(text, family.manifest));
    const root = index(
      images.map((items) => items.at(-1)!),
      family.index,
    );
    await parent.put(name, [...images.flat(), root]);
    await expect(copy(root)).resolves.toHaveLength(4);
    await expect(buffer(await target().fetch(root.descriptor))).resolves.toEqual(root.bytes);
    await expect(complete(root)).resolves.toBe(true);
  });

  test("T05 T35 what is here already is not fetched again", async () => {
    const items = imageOf("a");
    await parent.put(name, items);
    await copy(items.at(-1)!);
    parent.recent();
    await copy(items.at(-1)!);
    expect(parent.recent()).toEqual([]);
  });

  test("T03 of a sparse index the wanted children are here, and a platform more fetches only that", async () => {
    const images = ["linux/arm64", "linux/amd64", "unknown/unknown"].map((platform) => ({
      items: imageOf(platform),
      platform,
    }));
    const root = indexOf(images);
    await parent.put(name, [...images.flatMap(({ items }) => items), root]);
    const arm64 = platformFilter(["linux/arm64"]);
    const both = platformFilter(["linux/arm64", "linux/amd64"]);
    await copy(root, arm64);
    await expect(target().exists(root.descriptor)).resolves.toBe(true);
    await expect(target().exists(images[0]!.items.at(-1)!.descriptor)).resolves.toBe(true);
    await expect(target().exists(images[1]!.items.at(-1)!.descriptor)).resolves.toBe(false);
    await expect(complete(root, arm64)).resolves.toBe(true);
    await expect(complete(root, both)).resolves.toBe(false);
    parent.recent();
    await copy(root, both);
    expect(parent.recent()).toHaveLength(images[1]!.items.length);
    await expect(complete(root, both)).resolves.toBe(true);
  });

  test("T04 an index without a wanted platform is a failure, and nothing of it is copied", async () => {
    const items = imageOf("a");
    const root = indexOf([{ items, platform: "linux/amd64" }]);
    await parent.put(name, [...items, root]);
    await expect(copy(root, platformFilter(["linux/arm64"]))).rejects.toThrow(NoPlatformError);
    await expect(target().exists(root.descriptor)).resolves.toBe(false);
  });

  test("T18 layers that nobody may distribute are neither fetched nor missed", async () => {
    const foreign = item("foreign", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    const root = image(config, [foreign, item("own")]);
    await parent.put(name, [config, item("own"), root]);
    await copy(root);
    await expect(complete(root)).resolves.toBe(true);
  });

  test("T28 works in repositories with numbers and many parts", async () => {
    const items = imageOf("a");
    const deep = repository("123/a/b/c/d");
    await parent.put(deep, items);
    await copyGraph(parent.open(deep), content.open(deep), items.at(-1)!.descriptor, options());
    await expect(content.open(deep).exists(items.at(-1)!.descriptor)).resolves.toBe(true);
  });

  test("T38 what two images share is fetched once, and both learn what came of it", async () => {
    const shared = item("shared");
    const [one, two] = [imageOf("one", undefined, shared), imageOf("two", undefined, shared)];
    await parent.put(name, one);
    await parent.put(name, two);
    const gone = new ContentNotFoundError(shared.descriptor.digest);
    parent.fault = (ask) => {
      if (ask.includes(shared.descriptor.digest)) throw gone;
    };
    const both = options();
    const results = await Promise.allSettled(
      [one, two].map((items) => copyGraph(parent.open(name), target(), items.at(-1)!.descriptor, both)),
    );
    expect(results).toEqual([
      { status: "rejected", reason: gone },
      { status: "rejected", reason: gone },
    ]);
    expect(parent.recent().filter((ask) => ask.includes(shared.descriptor.digest))).toHaveLength(1);
  });

  test.each([
    { because: "a byte flipped", error: new DigestMismatchError("a", "b") },
    { because: "the parent does not continue", error: new NotResumableError("no") },
  ])("T31 T32 a blob is asked for afresh when $because", async ({ error }) => {
    const layer = item("layer");
    const items = imageOf("a", undefined, layer);
    await parent.put(name, items);
    let failures = 2;
    parent.fault = (ask) => {
      if (ask.includes(layer.descriptor.digest) && failures-- > 0) throw error;
    };
    await copy(items.at(-1)!);
    await expect(complete(items.at(-1)!)).resolves.toBe(true);
  });

  test("T32 wrong bytes are never linked, and given up after some tries", async () => {
    const layer = item("layer");
    const items = imageOf("a", undefined, layer);
    await parent.put(name, items);
    const source = parent.open(name);
    const lying = {
      ...source,
      exists: source.exists.bind(source),
      fetch: source.fetch.bind(source),
      fetchFrom: async (blob: Descriptor, offset: number) =>
        Readable.from([Buffer.alloc(blob.size - offset, "x")]),
    };
    const failed = copyGraph(lying, target(), items.at(-1)!.descriptor, options());
    await expect(failed).rejects.toThrow(DigestMismatchError);
    await expect(target().exists(layer.descriptor)).resolves.toBe(false);
    await expect(target().exists(items.at(-1)!.descriptor)).resolves.toBe(false);
  });

  test("T30 a transfer that was cut goes on where it stopped, also for another process", async () => {
    const layer = item("0123456789");
    const items = imageOf("a", undefined, layer);
    await parent.put(name, items);
    const source = parent.open(name);
    const offsets: number[] = [];
    const cut = {
      exists: source.exists.bind(source),
      fetch: source.fetch.bind(source),
      fetchFrom: async (blob: Descriptor, offset: number): Promise<Readable> => {
        if (blob.digest !== layer.descriptor.digest) return source.fetchFrom(blob, offset);
        offsets.push(offset);
        if (offset > 0) return source.fetchFrom(blob, offset);
        return Readable.from(
          (async function* () {
            yield layer.bytes.subarray(0, 4);
            throw new UnreachableError("cut");
          })(),
        );
      },
    };
    await expect(copyGraph(cut, target(), root(items), options())).rejects.toThrow(UnreachableError);
    await copyGraph(cut, target(), root(items), options());
    expect(offsets).toEqual([0, 4]);
    await expect(complete(items.at(-1)!)).resolves.toBe(true);
  });

  test("ends with the signal's reason, and nothing runs on", async () => {
    const items = imageOf("a");
    await parent.put(name, items);
    const stop = new AbortController();
    parent.fault = (ask) => {
      if (ask.includes(items[1]!.descriptor.digest)) stop.abort(new Error("closed"));
    };
    const failed = copyGraph(parent.open(name), target(), items.at(-1)!.descriptor, {
      ...options(everyPlatform, 1),
      signal: stop.signal,
    });
    await expect(failed).rejects.toThrow("closed");
    await expect(target().exists(items.at(-1)!.descriptor)).resolves.toBe(false);
  });

  describe("on random graphs with random faults", () => {
    interface Node {
      readonly item: Item;
      readonly below: readonly Node[];
    }
    const graph = fc.letrec<{ node: Node; index: Node; image: Node }>((tie) => ({
      node: fc.oneof({ depthSize: "small" }, tie("image"), tie("index")),
      image: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }).map((numbers) => {
        const layers = numbers.map((number) => item(`layer ${number}`));
        const below = [config, ...layers].map((each) => ({ item: each, below: [] }));
        return { item: image(config, layers), below };
      }),
      index: fc
        .array(tie("node"), { minLength: 1, maxLength: 4 })
        .map((below) => ({ item: index(below.map((child) => child.item)), below })),
    })).node;

    const flat = ({ item: own, below }: Node): Item[] => [...below.flatMap(flat), own];

    test("T20 no manifest is ever here without its children, and without faults everything arrives", async () => {
      const faults = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(graph, faults, fc.integer({ min: 1, max: 4 }), async (root, failing, slots) => {
          const store = await openContent(new ManualClock());
          const source = new ContentParent(await openContent(new ManualClock()));
          try {
            const items = flat(root);
            await source.put(name, items);
            let count = 0;
            source.fault = () => {
              if (failing.includes(count++)) throw new Error("boom");
            };
            const local = store.open(name);
            const attempt = (): Promise<unknown> =>
              copyGraph(source.open(name), local, root.item.descriptor, options(everyPlatform, slots));
            const failed = await attempt().then(
              () => false,
              () => true,
            );
            const asked = source.asked.length;
            for (const each of items.filter(({ descriptor }) => isManifest(descriptor.mediaType))) {
              if (!(await local.exists(each.descriptor))) continue;
              const manifest = parseManifest(each.bytes, each.descriptor.mediaType);
              for (const child of [...manifest.blobs, ...manifest.manifests]) {
                expect(await local.exists(child)).toBe(true);
              }
            }
            // Nothing runs on behind the caller's back.
            await new Promise((resolve) => setImmediate(resolve));
            expect(source.asked).toHaveLength(asked);
            source.fault = () => undefined;
            if (failed) await attempt();
            expect(await completeGraph(local, root.item.descriptor, everyPlatform, new Set())).toBeDefined();
            // Every byte moved once, whatever failed in between.
            const distinct = new Set(items.map(({ descriptor }) => descriptor.digest)).size;
            expect(new Set(source.asked).size).toBe(distinct);
          } finally {
            await store.close();
            await source.content.close();
          }
        }),
        { numRuns: 60 },
      );
    });
  });
});

describe("copyReferrers", () => {
  let content: RegistryContent;
  let parent: ContentParent;

  beforeEach(async () => {
    content = await openContent(new ManualClock());
    parent = new ContentParent(await openContent(new ManualClock()));
  });

  afterEach(async () => {
    await content.close();
    await parent.content.close();
  });

  const refer = (subject: Descriptor, text: string): Item =>
    image(config, [item(text)], { subject, artifactType: `application/vnd.example.${text}` });
  const tagsOf = async (from: RegistryContent): Promise<Tag[]> => {
    const tags: Tag[] = [];
    for await (const each of from.open(name).tags()) tags.push(each);
    return tags;
  };
  const referrersHere = async (subject: Digest): Promise<Digest[]> => {
    const found: Digest[] = [];
    for await (const { digest } of content.open(name).referrers(subject)) found.push(digest);
    return found;
  };

  const attachments = (filter = everyReferrer) => ({
    limit: pLimit(2) as Limit,
    platforms: everyPlatform,
    flights: new Flights(),
    shelf: new ManifestShelf(),
    attached: new AttachedTags(() => tagsOf(parent.content)),
    filter,
    signal: new AbortController().signal,
  });

  async function copyAll(root: Item, filter?: ReferrerFilter): Promise<void> {
    const shared = attachments(filter);
    const [source, target] = [parent.open(name), content.open(name)];
    const manifests = await copyGraph(source, target, root.descriptor, shared);
    await copyReferrers(source, target, manifests, shared);
  }

  test("T17 chained referrers arrive, and those of a child attach to the child", async () => {
    const child = imageOf("child");
    const root = indexOf([{ items: child, platform: "linux/amd64" }]);
    const sbom = refer(root.descriptor, "sbom");
    const signature = refer(sbom.descriptor, "signature");
    const ofChild = refer(child.at(-1)!.descriptor, "ofchild");
    await parent.put(name, [...child, root, config]);
    for (const [referrer, layer] of [
      [sbom, "sbom"],
      [signature, "signature"],
      [ofChild, "ofchild"],
    ] as const) {
      await parent.put(name, [item(layer), referrer]);
    }
    await copyAll(root);
    await expect(referrersHere(root.descriptor.digest)).resolves.toEqual([sbom.descriptor.digest]);
    await expect(referrersHere(sbom.descriptor.digest)).resolves.toEqual([signature.descriptor.digest]);
    await expect(referrersHere(child.at(-1)!.descriptor.digest)).resolves.toEqual([
      ofChild.descriptor.digest,
    ]);
  });

  test("T17 a circle of referrers ends", async () => {
    const items = imageOf("a");
    const signature = refer(items.at(-1)!.descriptor, "signature");
    await parent.put(name, items);
    await parent.put(name, [config, item("signature"), signature]);
    const source = parent.open(name);
    const circular = {
      name,
      exists: source.exists.bind(source),
      fetch: source.fetch.bind(source),
      fetchFrom: source.fetchFrom.bind(source),
      resolve: source.resolve.bind(source),
      tags: source.tags.bind(source),
      async *referrers() {
        yield signature.descriptor;
        yield items.at(-1)!.descriptor;
      },
    };
    const shared = attachments();
    const target = content.open(name);
    const manifests = await copyGraph(circular, target, items.at(-1)!.descriptor, shared);
    await copyReferrers(circular, target, manifests, shared);
    await expect(referrersHere(items.at(-1)!.descriptor.digest)).resolves.toEqual([
      signature.descriptor.digest,
    ]);
  });

  test("T17 one referrer that fails is told, and keeps no other back", async () => {
    const items = imageOf("a");
    const broken = refer(items.at(-1)!.descriptor, "broken");
    const good = refer(items.at(-1)!.descriptor, "good");
    await parent.put(name, items);
    await parent.put(name, [config, item("broken"), broken]);
    await parent.put(name, [config, item("good"), good]);
    const boom = new ContentNotFoundError(broken.descriptor.digest);
    parent.fault = (ask) => {
      if (ask.endsWith(item("broken").descriptor.digest)) throw boom;
    };
    await expect(copyAll(items.at(-1)!)).rejects.toBe(boom);
    await expect(referrersHere(items.at(-1)!.descriptor.digest)).resolves.toEqual([good.descriptor.digest]);
  });

  test("T17 only what is of a wanted type arrives, and what is attached to that", async () => {
    const items = imageOf("a");
    const sbom = refer(items.at(-1)!.descriptor, "sbom");
    const scan = refer(items.at(-1)!.descriptor, "scan");
    const ofSbom = refer(sbom.descriptor, "sbom-signature");
    const ofScan = refer(scan.descriptor, "sbom-of-scan");
    await parent.put(name, items);
    const layers = ["sbom", "scan", "sbom-signature", "sbom-of-scan"].map((text) => item(text));
    await parent.put(name, [config, ...layers, sbom, scan, ofSbom, ofScan]);
    await copyAll(items.at(-1)!, referrerFilter(["application/vnd.example.sbom*"]));
    await expect(referrersHere(items.at(-1)!.descriptor.digest)).resolves.toEqual([sbom.descriptor.digest]);
    await expect(referrersHere(sbom.descriptor.digest)).resolves.toEqual([ofSbom.descriptor.digest]);
    expect(parent.recent()).not.toContain(`fetch ${name}@${scan.descriptor.digest}`);
    await expect(referrersHere(scan.descriptor.digest)).resolves.toEqual([]);
  });

  describe("what cosign attaches by a tag", () => {
    const attachedTag = ({ descriptor }: Item, suffix: string): string =>
      `${descriptor.digest.replace(":", "-")}.${suffix}`;
    const signature = item("signed", "application/vnd.dev.cosign.simplesigning.v1+json");
    const attestation = item("attested", "application/vnd.dsse.envelope.v1+json");
    const items = imageOf("a");
    const signed = items.at(-1)!;

    beforeEach(async () => {
      await parent.put(name, items);
      await parent.put(name, [config, signature, image(config, [signature])], attachedTag(signed, "sig"));
      await parent.put(name, [config, attestation, image(config, [attestation])], attachedTag(signed, "att"));
    });

    test("T17 comes with its tag, and what is attached to it too", async () => {
      const sbom = image(config, [attestation]);
      const ofSbom = image(config, [signature], { annotations: { of: "sbom" } });
      await parent.put(name, [ofSbom], attachedTag(sbom, "sig"));
      await parent.put(name, imageOf("other"), attachedTag(imageOf("nobody").at(-1)!, "sig"));
      await copyAll(signed);
      const tags = [attachedTag(signed, "att"), attachedTag(signed, "sig"), attachedTag(sbom, "sig")];
      await expect(tagsOf(content)).resolves.toEqual(tags.sort());
    });

    test("T17 is judged by the types of its layers", async () => {
      await copyAll(signed, referrerFilter(["application/vnd.dev.cosign.*"]));
      await expect(tagsOf(content)).resolves.toEqual([attachedTag(signed, "sig")]);
    });

    test("T17 a second signature under the same tag comes, too", async () => {
      await copyAll(signed);
      const more = image(config, [signature, attestation]);
      await parent.put(name, [more], attachedTag(signed, "sig"));
      await copyAll(signed);
      const here = await content.open(name).resolve(tag(attachedTag(signed, "sig")));
      expect(here.digest).toBe(more.descriptor.digest);
    });
  });
});
