import { seconds } from "../../../../../common/clock.ts";
import type { ContentRepository } from "../../../repository.ts";
import { all, config, layer, pushAll } from "../../../testing/conformance/store.ts";
import { image, repository, tag } from "../../../testing/images.ts";
import { day, has, hour, retention, type CollectedStore } from "./store.ts";

/** What collecting promises of tags that rules are about. */
export function describeRetention(store: CollectedStore): void {
  describe("retention", () => {
    const images = Array.from({ length: 5 }, (_, i) => image(config, [], { annotations: { n: `${i}` } }));

    async function pushDaily(target: ContentRepository, ...tags: readonly string[]): Promise<void> {
      await pushAll(target, config);
      for (const [i, name] of tags.entries()) {
        const each = images[i % images.length]!;
        await target.putManifest(each.bytes, each.descriptor.mediaType, { tags: [tag(name)] });
        await store.clock.advance(day);
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
      await pushDaily(store.a, "v1", "v2", "v3");
      await store.a.putManifest(images[4]!.bytes, images[4]!.descriptor.mediaType, { tags: [] });
      await store.collect({ retention: retention(...rules) });
      await expect(all(store.a.tags())).resolves.toEqual(left);
    });

    test("T73 matches nested repositories", async () => {
      const nested = store.content.open(repository("team/x/y/z"));
      await pushDaily(nested, "v1", "v2");
      await store.collect({ retention: retention({ repositories: ["team/*"], tags: [newest(1, "*")] }) });
      expect(store.removed).toEqual([]);
      await store.collect({ retention: retention({ repositories: ["team/**"], tags: [newest(1, "*")] }) });
      expect(store.gone("tag")).toEqual(["v1"]);
    });

    test("counts pulls from when they are noted on, and to the hour", async () => {
      await pushDaily(store.a, "v1", "v2");
      const rules = {
        retention: retention({
          repositories: ["**"],
          tags: [{ include: ["*"], keepPulledWithinSeconds: 86_400 }],
        }),
      };
      await store.clock.advance(hour);
      store.a.pulled(images[0]!.descriptor.digest);
      await store.clock.advance(seconds(86_400 + 3600));
      await store.collect(rules);
      await expect(all(store.a.tags())).resolves.toEqual(["v1"]);
      await store.clock.advance(seconds(1));
      await store.collect(rules);
      await expect(all(store.a.tags())).resolves.toEqual([]);
    });

    test("an image that has another tag stays when it loses one", async () => {
      await pushDaily(store.a, "v1");
      await store.a.tag(images[0]!.descriptor, tag("latest"));
      await store.clock.advance(day);
      await store.collect({
        retention: retention({
          repositories: ["**"],
          tags: [{ include: ["v*"], keepPushedWithinSeconds: 60 }],
        }),
      });
      expect(store.gone("tag")).toEqual(["v1"]);
      await expect(has(store.a, images[0]!)).resolves.toEqual([true]);
    });

    test("T53 removes nothing by age while the parent is away, and garbage nevertheless", async () => {
      await pushDaily(store.a, "v1", "v2");
      await pushAll(store.a, layer);
      await store.clock.advance(day);
      const rules = { retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }) };
      await expect(store.collect({ ...rules, mayExpire: () => false })).resolves.toMatchObject({
        expiryPostponed: 1,
        removed: { tag: 0, manifest: 0, link: 1 },
      });
      await expect(store.collect(rules)).resolves.toMatchObject({ expiryPostponed: 0, removed: { tag: 1 } });
    });

    test("leaves alone what the sync would bring back", async () => {
      await pushDaily(store.a, "v1", "v2", "v3");
      await store.collect({
        retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
        wanted: (name, text) => name === "team/a" && text === "v1",
      });
      expect(store.gone("tag")).toEqual(["v2"]);
    });

    test.each([
      { what: "a tag", target: { kind: "tag", tag: tag("v1") } as const, left: ["v1", "v3"] },
      { what: "a repository", target: { kind: "repository" } as const, left: ["v1", "v2", "v3"] },
    ])("leaves alone $what that is locked", async ({ target, left }) => {
      await pushDaily(store.a, "v1", "v2", "v3");
      await store.content.locks.change(store.a.name, target, { deleteEnabled: false });
      const report = await store.collect({
        retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
      });
      expect(report).toMatchObject({ state: "Succeeded", faults: [] });
      await expect(all(store.a.tags())).resolves.toEqual(left);
    });

    test("leaves alone a manifest that is locked, though its tag may go", async () => {
      await pushDaily(store.a, "v1", "v2");
      const { digest } = images[0]!.descriptor;
      await store.content.locks.change(store.a.name, { kind: "manifest", digest }, { deleteEnabled: false });
      const report = await store.collect({
        retention: retention({ repositories: ["**"], tags: [newest(1, "*")] }),
      });
      expect(report).toMatchObject({ state: "Succeeded", faults: [] });
      await expect(has(store.a, images[0]!)).resolves.toEqual([true]);
    });

    test("names what went, how much that was, and why", async () => {
      await pushDaily(store.a, "v1", "v2");
      await store.collect({ retention: retention({ repositories: ["**"], tags: [newest(1, "v*")] }) });
      expect(store.removed).toEqual([
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
}
