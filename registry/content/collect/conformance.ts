import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { seconds } from "../../../common/clock.ts";
import { contentSettings } from "../../../common/contract/content-settings.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import type { ContentOptions, RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { families, image, index, item, repository, streamOf, tag, type Item } from "../testing/images.ts";
import type { CollectionOptions } from "./collection.ts";
import type { CollectOptions } from "./collector.ts";
import type { CollectionReport, Removal } from "./report.ts";

const hour = seconds(3600);
const day = seconds(86_400);
const grace = 3600;

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const other = item("layer two");
const third = item("layer three");

async function pushAll(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
  for (const each of items) await target.push(each.descriptor, streamOf(each));
}

/** As settings say it. */
function retention(...rules: readonly object[]): CollectionOptions["retention"] {
  return contentSettings.retention.parse(rules);
}

/** What collecting promises of every implementation of the content store. */
export function describeCollection(
  name: string,
  open: (options: ContentOptions) => Promise<RegistryContent>,
): void {
  // eslint-disable-next-line jest/valid-title -- a string, as its type says
  describe(name, () => {
    let clock: ManualClock;
    let content: RegistryContent;
    let a: ContentRepository;
    let b: ContentRepository;
    let removed: Removal[];

    beforeEach(async () => {
      clock = new ManualClock();
      content = await open({ clock, newId: randomUUID, quota: () => undefined });
      a = content.open(repository("team/a"));
      b = content.open(repository("team/b"));
    });

    afterEach(async () => {
      await content.close();
    });

    async function collect(options: Partial<CollectOptions> = {}): Promise<CollectionReport> {
      removed = [];
      return content.collector.collect({
        graceSeconds: grace,
        observe: (removal) => removed.push(removal),
        ...options,
      });
    }

    /** The names of what went, by kind. */
    function gone(kind: Removal["kind"]): string[] {
      return removed.filter((each) => each.kind === kind).map((each) => each.name);
    }

    async function has(target: ContentRepository, ...items: readonly Item[]): Promise<boolean[]> {
      return Promise.all(items.map(({ descriptor }) => target.exists(descriptor)));
    }

    async function names(listing: AsyncIterable<string>): Promise<string[]> {
      const found: string[] = [];
      for await (const each of listing) found.push(each);
      return found;
    }

    describe("what nothing refers to", () => {
      test("T60 stays for the grace period, and goes with its bytes after it", async () => {
        await pushAll(a, layer, other);
        await clock.advance(seconds(grace - 1));
        await expect(collect()).resolves.toMatchObject({ state: "Succeeded", bytes: 0 });
        await expect(has(a, layer, other)).resolves.toEqual([true, true]);
        await clock.advance(seconds(1));
        await expect(collect()).resolves.toMatchObject({
          state: "Succeeded",
          removed: { link: 2, blob: 2, repository: 1, manifest: 0, tag: 0, file: 0 },
          bytes: layer.bytes.length + other.bytes.length,
        });
        await expect(has(a, layer, other)).resolves.toEqual([false, false]);
        await expect(content.usage()).resolves.toBe(0);
        await expect(a.known()).resolves.toBe(false);
      });

      test.each([
        {
          because: "it was mounted",
          renew: async () => b.mountBlob(layer.descriptor.digest, a.name),
          where: () => b,
        },
        {
          because: "it was pushed again",
          renew: async () => a.push(layer.descriptor, streamOf(layer)),
          where: () => a,
        },
        {
          because: "a client was told that it is there",
          renew: async () => a.relyOnBlob(layer.descriptor.digest),
          where: () => a,
        },
        {
          because: "a sync found it",
          renew: async () => (await a.ingest(layer.descriptor)).commit(),
          where: () => a,
        },
      ])("T60 has a fresh grace period when $because", async ({ renew, where }) => {
        await pushAll(a, layer);
        await clock.advance(day);
        await renew();
        await clock.advance(seconds(grace - 1));
        await collect();
        await expect(has(where(), layer)).resolves.toEqual([true]);
        const manifest = image(layer, []);
        await pushAll(where(), manifest);
        await clock.advance(day);
        await collect();
        await expect(has(where(), layer, manifest)).resolves.toEqual([true, true]);
      });

      test("stays while it is pinned, and while its transfer goes on", async () => {
        await pushAll(a, layer, other);
        const unpin = a.pin([layer.descriptor.digest]);
        const ingest = await a.ingest(other.descriptor);
        await clock.advance(day);
        await expect(collect()).resolves.toMatchObject({ removed: { link: 0, blob: 0 } });
        unpin();
        unpin();
        await ingest.suspend();
        await expect(collect()).resolves.toMatchObject({ removed: { link: 2, blob: 2 } });
      });

      test("goes from the repository that does not need it, and stays in the other", async () => {
        const manifest = image(config, [layer]);
        await pushAll(a, config, layer, manifest);
        await pushAll(b, config, layer);
        await clock.advance(day);
        await collect();
        expect(gone("link").sort()).toEqual([config.descriptor.digest, layer.descriptor.digest].sort());
        expect(gone("repository")).toEqual(["team/b"]);
        await expect(has(a, config, layer, manifest)).resolves.toEqual([true, true, true]);
        await expect(a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
      });

      test("T63 stays in every other repository when one has deleted its image", async () => {
        const manifest = image(config, [layer]);
        await pushAll(a, config, layer, manifest);
        await pushAll(b, config, layer, manifest);
        await a.deleteManifest(manifest.descriptor.digest);
        await clock.advance(day);
        await collect();
        await expect(a.known()).resolves.toBe(false);
        await expect(b.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
        await expect(b.fetch(manifest.descriptor).then(buffer)).resolves.toEqual(manifest.bytes);
      });

      test("T70 makes its repository vanish, with its row", async () => {
        const manifest = image(config, [layer]);
        await pushAll(a, config, layer, manifest);
        await a.tag(manifest.descriptor, tag("v1"));
        await a.deleteManifest(manifest.descriptor.digest);
        await expect(names(content.list())).resolves.toEqual([]);
        await expect(a.known()).resolves.toBe(true);
        await clock.advance(day);
        await collect();
        await expect(a.known()).resolves.toBe(false);
        await pushAll(a, config, layer, manifest);
        await expect(names(content.list())).resolves.toEqual(["team/a"]);
      });

      test("T68 is no longer there once a client has deleted it, and its bytes go at once", async () => {
        await pushAll(a, layer);
        await a.deleteBlob(layer.descriptor.digest);
        await collect();
        expect(gone("blob")).toEqual([layer.descriptor.digest]);
        await expect(content.usage()).resolves.toBe(0);
      });

      test("goes at most once, and a second collection finds nothing to do", async () => {
        await pushAll(a, layer);
        await clock.advance(day);
        const both = await Promise.all([collect(), collect()]);
        expect(both.map(({ removed: { blob } }) => blob).sort()).toEqual([0, 1]);
      });

      test("T65 goes also when its file is gone already", async () => {
        await pushAll(a, layer, other);
        await content.scrubbed.blobs.remove(layer.descriptor.digest);
        await clock.advance(day);
        await expect(collect()).resolves.toMatchObject({ state: "Succeeded", removed: { blob: 2 } });
      });
    });

    describe.each(families)("T06 of $family images", (family) => {
      const options = { mediaType: family.manifest };
      const one = image(config, [layer], options);
      const two = image(config, [other], options);
      const both = index([one, two], family.index);

      test("T74 the untagged stay where no rule names a delay", async () => {
        await pushAll(a, config, layer, one);
        await clock.advance(seconds(365 * 86_400));
        await expect(collect()).resolves.toMatchObject({ bytes: 0 });
        await expect(has(a, one, layer)).resolves.toEqual([true, true]);
      });

      test("T74 the untagged go after the delay, and the tagged never do", async () => {
        await pushAll(a, config, layer, other, one, two);
        await a.tag(two.descriptor, tag("v1"));
        const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 86_400 }) };
        await collect(rules);
        await clock.advance(seconds(86_399));
        await collect(rules);
        await expect(has(a, one)).resolves.toEqual([true]);
        await clock.advance(seconds(1));
        await collect(rules);
        expect(gone("manifest")).toEqual([one.descriptor.digest]);
        await clock.advance(day);
        await collect(rules);
        await expect(has(a, one, layer, two, other)).resolves.toEqual([false, false, true, true]);
      });

      test("the delay begins anew when it had a tag in between", async () => {
        await pushAll(a, config, layer, one);
        const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 86_400 }) };
        await collect(rules);
        await clock.advance(day);
        await a.tag(one.descriptor, tag("v1"));
        await a.untag(tag("v1"));
        await collect(rules);
        await expect(has(a, one)).resolves.toEqual([true]);
      });

      test("T61 children of an index stay, also of nested and of sparse ones", async () => {
        const outer = index([both], family.index);
        const sparse = index([one, image(config, [third], options)], family.index);
        await pushAll(a, config, layer, other, one, two, both, outer);
        await a.putManifest(sparse.bytes, family.index, { tags: [tag("sparse")] });
        await a.tag(outer.descriptor, tag("v1"));
        const rules = { retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }) };
        for (let n = 0; n < 3; n++) {
          await clock.advance(day);
          await expect(collect(rules)).resolves.toMatchObject({
            state: "Succeeded",
            removed: { manifest: 0 },
          });
        }
        await expect(has(a, one, two, both, outer, sparse, layer, other)).resolves.not.toContain(false);
      });

      test("T73 an image that goes takes its children, its signatures and its layers with it", async () => {
        const outer = index([both], family.index);
        const signature = image(config, [third], { ...options, subject: one.descriptor });
        const onSignature = image(config, [], { ...options, subject: signature.descriptor });
        const cosign = image(third, [], options);
        await pushAll(a, config, layer, other, third, one, two, both, outer, signature, onSignature, cosign);
        await a.tag(outer.descriptor, tag("old"));
        await a.tag(cosign.descriptor, tag(`${outer.descriptor.digest.replace(":", "-")}.sig`));
        await clock.advance(day);
        const kept = image(other, [], options);
        await pushAll(a, kept);
        await a.tag(kept.descriptor, tag("new"));
        await clock.advance(day);
        await collect({
          retention: retention({ repositories: ["team/*"], tags: [{ include: ["*"], keepNewest: 1 }] }),
        });
        expect(gone("tag")).toEqual(["old"]);
        await expect(
          has(a, outer, both, one, two, signature, onSignature, cosign, config, layer, third),
        ).resolves.not.toContain(true);
        await expect(has(a, kept, other)).resolves.toEqual([true, true]);
        await expect(names(a.tags())).resolves.toEqual(["new"]);
      });

      test("T73 signatures of what is kept stay, and count nowhere", async () => {
        const signature = image(config, [third], { ...options, subject: one.descriptor });
        const cosign = image(third, [], options);
        await pushAll(a, config, layer, third, one, signature, cosign);
        await a.tag(one.descriptor, tag("v1"));
        await clock.advance(hour);
        const about = one.descriptor.digest.replace(":", "-");
        for (const name of [about, `${about}.sig`, `${about}.att`]) await a.tag(cosign.descriptor, tag(name));
        await a.tag(signature.descriptor, tag("signature"));
        await clock.advance(seconds(30 * 86_400));
        await collect({
          retention: retention({
            repositories: ["**"],
            tags: [{ include: ["*"], keepNewest: 1 }],
            untaggedAfterSeconds: 0,
          }),
        });
        expect(removed).toEqual([]);
        await expect(has(a, one, signature, cosign)).resolves.toEqual([true, true, true]);
      });

      test("a signature whose image a client has deleted is like any untagged manifest", async () => {
        const cosign = image(third, [], options);
        await pushAll(a, config, layer, third, one, cosign);
        await a.tag(cosign.descriptor, tag(`${one.descriptor.digest.replace(":", "-")}.sig`));
        await a.deleteManifest(one.descriptor.digest);
        await clock.advance(day);
        await collect({
          retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
        });
        await expect(has(a, cosign)).resolves.toEqual([true]);
        await collect({ retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }) });
        await expect(has(a, cosign)).resolves.toEqual([false]);
      });

      test("a child that another index names stays", async () => {
        const second = index([one], family.index);
        await pushAll(a, config, layer, other, one, two, both, second);
        await a.tag(both.descriptor, tag("old"));
        await clock.advance(day);
        await a.tag(second.descriptor, tag("new"));
        await clock.advance(day);
        await collect({
          retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
        });
        await expect(has(a, both, two, other)).resolves.toEqual([false, false, false]);
        await expect(has(a, second, one, layer)).resolves.toEqual([true, true, true]);
      });

      test("T16 what is pulled by its digest stays", async () => {
        await pushAll(a, config, layer, other, one, two, both);
        await a.tag(both.descriptor, tag("v1"));
        const rules = {
          retention: retention({
            repositories: ["**"],
            tags: [{ include: ["*"], keepPulledWithinSeconds: 7 * 86_400 }],
            untaggedAfterSeconds: 86_400,
          }),
        };
        for (let n = 0; n < 20; n++) {
          await clock.advance(day);
          a.pulled(one.descriptor.digest);
          await collect(rules);
        }
        await expect(has(a, both, one, layer)).resolves.toEqual([true, true, true]);
        await clock.advance(seconds(8 * 86_400));
        await collect(rules);
        await expect(has(a, both, one, layer)).resolves.toEqual([false, false, false]);
      });
    });

    describe("retention", () => {
      const images = Array.from({ length: 5 }, (_, i) => image(config, [], { annotations: { n: `${i}` } }));

      async function pushDaily(target: ContentRepository, ...tags: readonly string[]): Promise<void> {
        await pushAll(target, config);
        for (const [i, name] of tags.entries()) {
          const each = images[i % images.length]!;
          await target.putManifest(each.bytes, each.descriptor.mediaType, { tags: [tag(name)] });
          await clock.advance(day);
        }
      }

      const newest = (n: number, ...include: readonly string[]): object => ({ include, keepNewest: n });

      test.each([
        {
          because: "no rule is about the repository",
          rules: [{ repositories: ["apps/**"], tags: [newest(1, "*")] }],
          left: ["v1", "v2", "v3"],
        },
        {
          because: "no rule is about the tags",
          rules: [{ repositories: ["**"], tags: [newest(1, "nightly-*")] }],
          left: ["v1", "v2", "v3"],
        },
        {
          because: "the newest are kept",
          rules: [{ repositories: ["team/*"], tags: [newest(2, "v*")] }],
          left: ["v2", "v3"],
        },
        {
          because: "what was pushed recently is kept",
          rules: [{ repositories: ["**"], tags: [{ include: ["*"], keepPushedWithinSeconds: 86_400 }] }],
          left: ["v3"],
        },
        {
          because: "one entry that keeps wins over one that does not (T73)",
          rules: [
            {
              repositories: ["**"],
              tags: [newest(1, "*"), { include: ["v1"], keepPushedWithinSeconds: 1e7 }],
            },
          ],
          left: ["v1", "v3"],
        },
        {
          because: "several rules about one repository keep what either keeps (T73)",
          rules: [
            { repositories: ["team/*"], tags: [newest(1, "*")] },
            { repositories: ["**/a"], tags: [newest(2, "*")] },
          ],
          left: ["v2", "v3"],
        },
        {
          because: "tags and untagged are counted separately (T73)",
          rules: [{ repositories: ["**"], tags: [newest(3, "*")], untaggedAfterSeconds: 0 }],
          left: ["v1", "v2", "v3"],
        },
      ])("keeps $left, because $because", async ({ rules, left }) => {
        await pushDaily(a, "v1", "v2", "v3");
        await a.putManifest(images[4]!.bytes, images[4]!.descriptor.mediaType, { tags: [] });
        await collect({ retention: retention(...rules) });
        await expect(names(a.tags())).resolves.toEqual(left);
      });

      test("T73 matches nested repositories", async () => {
        const nested = content.open(repository("team/x/y/z"));
        await pushDaily(nested, "v1", "v2");
        await collect({ retention: retention({ repositories: ["team/*"], tags: [newest(1, "*")] }) });
        expect(removed).toEqual([]);
        await collect({ retention: retention({ repositories: ["team/**"], tags: [newest(1, "*")] }) });
        expect(gone("tag")).toEqual(["v1"]);
      });

      test("counts pulls from when they are noted on, and to the hour", async () => {
        await pushDaily(a, "v1", "v2");
        const rules = {
          retention: retention({
            repositories: ["**"],
            tags: [{ include: ["*"], keepPulledWithinSeconds: 86_400 }],
          }),
        };
        await clock.advance(hour);
        a.pulled(images[0]!.descriptor.digest);
        await clock.advance(seconds(86_400 + 3600));
        await collect(rules);
        await expect(names(a.tags())).resolves.toEqual(["v1"]);
        await clock.advance(seconds(1));
        await collect(rules);
        await expect(names(a.tags())).resolves.toEqual([]);
      });

      test("an image that has another tag stays when it loses one", async () => {
        await pushDaily(a, "v1");
        await a.tag(images[0]!.descriptor, tag("latest"));
        await clock.advance(day);
        await collect({
          retention: retention({
            repositories: ["**"],
            tags: [{ include: ["v*"], keepPushedWithinSeconds: 60 }],
          }),
        });
        expect(gone("tag")).toEqual(["v1"]);
        await expect(has(a, images[0]!)).resolves.toEqual([true]);
      });

      test("T53 removes nothing by age while the parent is away, and garbage nevertheless", async () => {
        await pushDaily(a, "v1", "v2");
        await pushAll(a, layer);
        await clock.advance(day);
        const rules = { retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }) };
        await expect(collect({ ...rules, mayExpire: () => false })).resolves.toMatchObject({
          expiryPostponed: 1,
          removed: { tag: 0, manifest: 0, link: 1 },
        });
        await expect(collect(rules)).resolves.toMatchObject({ expiryPostponed: 0, removed: { tag: 1 } });
      });

      test("leaves alone what the sync would bring back", async () => {
        await pushDaily(a, "v1", "v2", "v3");
        await collect({
          retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
          wanted: (name, text) => name === "team/a" && text === "v1",
        });
        expect(gone("tag")).toEqual(["v2"]);
      });

      test.each([
        { what: "a tag", target: { kind: "tag", tag: tag("v1") } as const, left: ["v1", "v3"] },
        { what: "a repository", target: { kind: "repository" } as const, left: ["v1", "v2", "v3"] },
      ])("leaves alone $what that is locked", async ({ target, left }) => {
        await pushDaily(a, "v1", "v2", "v3");
        await content.locks.change(a.name, target, { deleteEnabled: false });
        const report = await collect({
          retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
        });
        expect(report).toMatchObject({ state: "Succeeded", faults: [] });
        await expect(names(a.tags())).resolves.toEqual(left);
      });

      test("leaves alone a manifest that is locked, though its tag may go", async () => {
        await pushDaily(a, "v1", "v2");
        const { digest } = images[0]!.descriptor;
        await content.locks.change(a.name, { kind: "manifest", digest }, { deleteEnabled: false });
        const report = await collect({
          retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
        });
        expect(report).toMatchObject({ state: "Succeeded", faults: [] });
        await expect(has(a, images[0]!)).resolves.toEqual([true]);
      });

      test("names what went, how much that was, and why", async () => {
        await pushDaily(a, "v1", "v2");
        await collect({ retention: retention({ repositories: ["**"], tags: [newest(1, "v*")] }) });
        expect(removed).toEqual([
          {
            kind: "tag",
            repository: "team/a",
            name: "v1",
            bytes: 0,
            reason: "of v*: not among the newest 1",
          },
          {
            kind: "manifest",
            repository: "team/a",
            name: images[0]!.descriptor.digest,
            bytes: images[0]!.bytes.length,
            reason: "the image that it was, or was part of, is gone",
          },
        ]);
      });
    });

    describe("T71 a dry run", () => {
      test("removes nothing, and says what the run after it then removes", async () => {
        const old = image(config, [layer]);
        const signature = image(config, [third], { subject: old.descriptor });
        await pushAll(a, config, layer, third, old, signature);
        await a.tag(old.descriptor, tag("old"));
        await pushAll(b, other);
        await clock.advance(day);
        const kept = image(config, []);
        await pushAll(a, kept);
        await a.tag(kept.descriptor, tag("new"));
        await clock.advance(day);
        const rules = {
          retention: retention({ repositories: ["**"], tags: [{ include: ["*"], keepNewest: 1 }] }),
        };
        const usage = await content.usage();

        const planned = await collect({ ...rules, dryRun: true });
        const said = removed;
        await expect(content.usage()).resolves.toBe(usage);
        await expect(has(a, old, signature, layer, third)).resolves.not.toContain(false);
        await expect(has(b, other)).resolves.toEqual([true]);
        await expect(a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);

        const done = await collect(rules);
        expect(removed).toEqual(said);
        expect(done).toEqual({ ...planned, dryRun: false });
        expect(said.map(({ kind }) => kind)).toEqual(
          expect.arrayContaining(["tag", "manifest", "link", "blob", "repository"]),
        );
      });
    });

    describe("T62 a manifest that cannot be read", () => {
      test("keeps everything of its repository, and others do not wait for it", async () => {
        const manifest = image(config, [layer]);
        await pushAll(a, config, layer, other, manifest);
        await pushAll(b, third);
        await spoil(manifest.descriptor.digest);
        await clock.advance(day);
        const report = await collect({
          retention: retention({ repositories: ["**"], untaggedAfterSeconds: 0 }),
        });
        expect(report).toMatchObject({ state: "Partial", faultCount: 1, removed: { manifest: 0 } });
        expect(report.faults[0]).toMatchObject({ repository: "team/a" });
        expect(report.faults[0]?.message).toContain(manifest.descriptor.digest);
        await expect(has(a, config, layer, other)).resolves.toEqual([true, true, true]);
        await expect(has(b, third)).resolves.toEqual([false]);
      });

      async function spoil(digest: Digest): Promise<void> {
        await content.scrubbed.database.change(() =>
          content.scrubbed.database.statements.run(
            "UPDATE manifest_contents SET bytes = ? WHERE digest = ?",
            Buffer.from("{"),
            digest,
          ),
        );
      }
    });
  });
}
