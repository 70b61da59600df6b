import { seconds } from "../../common/clock.ts";
import type { Digest } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { TagNotFoundError } from "../content/store.ts";
import { image, item, repository, tag, type Item } from "../content/testing/images.ts";
import { DeniedError, NotFoundError, ProtocolError } from "../remote/errors.ts";
import { poll, settings, World } from "./testing/world.ts";

const name = "apps/hello";

function imageOf(text: string, size = 10): Item[] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(text.padEnd(size, "."));
  return [config, layer, image(config, [layer])];
}
const root = (items: readonly Item[]): Item => items.at(-1)!;

/** An index with an image for each platform. */
function indexOf(images: Readonly<Record<string, readonly Item[]>>): Item {
  const manifests = Object.entries(images).map(([platform, items]) => {
    const [os, architecture] = platform.split("/");
    return { ...root(items).descriptor, platform: { os, architecture } };
  });
  return item(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
    mediaTypes.ociIndex,
  );
}

describe("what a sync selects", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
  });

  afterEach(() => world.close());

  const rules = (...repositories: readonly object[]): void => {
    world.configure(settings({ repositories }));
  };
  const isHere = async (text: string): Promise<Digest | undefined> => {
    try {
      return (await world.content.open(repository(name)).resolve(tag(text))).digest;
    } catch (error) {
      if (error instanceof TagNotFoundError) return undefined;
      throw error;
    }
  };

  describe("by size", () => {
    test("leaves out what is too big, says so, and asks for nothing of it again", async () => {
      rules({ name, maxSizeBytes: 200 });
      await world.parent.put(name, imageOf("small", 100), "small");
      await world.parent.put(name, imageOf("big", 300), "big");
      await world.startAndSync();
      await expect(isHere("small")).resolves.toBeDefined();
      await expect(isHere("big")).resolves.toBeUndefined();
      expect(world.status.sync).toMatchObject({
        state: "Succeeded",
        tags: { selected: 1, copied: 1 },
        message: "Left out, for they are bigger than maxSize: apps/hello:big.",
      });
      world.parent.recent();
      await world.sync();
      expect(world.parent.recent().filter((ask) => ask.startsWith("fetch"))).toEqual([]);
    });

    test("reads each manifest of the parent once, though it is judged before it is copied", async () => {
      rules({ name, maxSizeBytes: 200 });
      const items = imageOf("small", 100);
      await world.parent.put(name, items, "1.0");
      await world.startAndSync();
      const fetched = world.parent.recent().filter((ask) => ask.startsWith("fetch"));
      expect([...fetched].sort()).toEqual(
        items.map(({ descriptor }) => `fetch ${name}@${descriptor.digest}`).sort(),
      );
    });

    test("counts the wanted platforms only, and each rule for itself", async () => {
      const [amd, arm] = [imageOf("amd", 300), imageOf("arm", 100)];
      const both = indexOf({ "linux/amd64": amd, "linux/arm64": arm });
      await world.parent.put(name, [...amd, ...arm, both], "1.0");
      rules({ name, platforms: ["linux/arm64"], maxSizeBytes: 200 }, { name: "apps/*", maxSizeBytes: 200 });
      await world.startAndSync();
      await expect(isHere("1.0")).resolves.toBe(both.descriptor.digest);
      const here = world.content.open(repository(name));
      await expect(here.exists(root(arm).descriptor)).resolves.toBe(true);
      await expect(here.exists(root(amd).descriptor)).resolves.toBe(false);
      await world.sync();
      expect(world.status.sync).toMatchObject({ tags: { upToDate: 1 } });
    });

    test("keeps the image that is here when the next one under its tag is too big", async () => {
      rules({ name, maxSizeBytes: 200 });
      const first = imageOf("first", 100);
      await world.parent.put(name, first, "latest");
      await world.startAndSync();
      await world.parent.put(name, imageOf("second", 300), "latest");
      await world.sync();
      await expect(isHere("latest")).resolves.toBe(root(first).descriptor.digest);
      expect(world.status.sync?.message).toMatch(
        /^Nothing is selected by apps\/hello \(its tags: 1 bigger than/,
      );
    });
  });

  describe("of what is attached to images", () => {
    const sigOf = ({ descriptor }: Item): string => `${descriptor.digest.replace(":", "-")}.sig`;
    const signature = item("signed", "application/vnd.dev.cosign.simplesigning.v1+json");
    const config = item("{}", mediaTypes.ociConfig);
    const signed = imageOf("signed image");
    const sign = (items: readonly Item[]): Promise<void> =>
      world.parent.put(name, [config, signature, image(config, [signature])], sigOf(root(items)));

    test.each([
      { tags: {}, because: "the rule has a pattern" },
      {
        tags: { include: ["1.0"] },
        because: "the rule names its tags, and the parent is asked for the others",
      },
    ])("T17 a signature of cosign comes with its image: $because", async ({ tags }) => {
      rules({ name, tags });
      await world.parent.put(name, signed, "1.0");
      await sign(signed);
      await world.startAndSync();
      await expect(isHere(sigOf(root(signed)))).resolves.toBeDefined();
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { selected: 1 } });
    });

    test("T17 one that comes later than its image does, too", async () => {
      await world.parent.put(name, signed, "1.0");
      await world.startAndSync();
      await sign(signed);
      for (let passes = 0; passes < 60 / poll; passes++) await world.sync();
      await expect(isHere(sigOf(root(signed)))).resolves.toBeDefined();
    });

    test("none comes without its image, or where nobody wants referrers", async () => {
      await world.parent.put(name, signed, "1.0");
      const other = imageOf("left out");
      await world.parent.put(name, other, "0.1");
      await sign(signed);
      await sign(other);
      rules({ name, tags: { include: ["1.*"] } });
      await world.startAndSync();
      await expect(isHere(sigOf(root(other)))).resolves.toBeUndefined();
      await world.stop();
      rules({ name, referrers: false });
      world.start();
      await world.clock.advance(seconds(poll));
      await expect(isHere(sigOf(root(other)))).resolves.toBeUndefined();
    });

    test("a parent that lists no tags fails no image for it", async () => {
      rules({ name, tags: { include: ["1.0"] } });
      await world.parent.put(name, signed, "1.0");
      world.parent.fault = (ask) => {
        if (ask.startsWith("tags")) throw new DeniedError("no");
      };
      await world.startAndSync();
      expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { copied: 1 } });
    });

    test("only of the wanted types", async () => {
      await world.parent.put(name, signed, "1.0");
      await sign(signed);
      rules({ name, referrerTypes: ["application/spdx+json"] });
      await world.startAndSync();
      await expect(isHere(sigOf(root(signed)))).resolves.toBeUndefined();
      await world.stop();
      rules({ name, referrerTypes: ["application/vnd.dev.cosign.*"] });
      world.start();
      await world.ended();
      await expect(isHere(sigOf(root(signed)))).resolves.toBeDefined();
    });
  });

  test.each([
    { error: new NotFoundError("no"), code: "NOCATALOG" },
    { error: new ProtocolError("no", 405), code: "NOCATALOG" },
    { error: new DeniedError("no"), code: "CATALOGDENIED" },
  ])(
    "a parent without a catalog is told as $code, with what to do, until the rules name what they want",
    async (row) => {
      rules({ name: "apps/*" }, { name: "base/**" }, { name: "other" });
      await world.parent.put("other", imageOf("a"), "1.0");
      world.parent.fault = (ask) => {
        if (ask === "list") throw row.error;
      };
      await world.startAndSync();
      expect(world.status).toMatchObject({
        connectionState: "Unhealthy",
        sync: { state: "Partial", tags: { copied: 1 } },
        statusDetails: [{ type: "Catalog", code: row.code }],
      });
      expect(world.status.statusDetails[0]?.description).toMatch(/apps\/\*, base\/\*\* needs\. Name them/);
      rules({ name: "other" });
      await world.sync();
      expect(world.status.statusDetails).toEqual([]);
    },
  );

  test("T06 a manifest of a media type that nobody knows, with all that it names", async () => {
    const type = "application/vnd.example.thing.v1+json";
    const part = item("part", "application/vnd.example.part");
    const thing = item(
      JSON.stringify({ schemaVersion: 2, mediaType: type, layers: [part.descriptor] }),
      type,
    );
    const inner = { ...thing, descriptor: { ...thing.descriptor, manifest: true as const } };
    const outer = item(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [thing.descriptor] }),
      mediaTypes.ociIndex,
    );
    await world.parent.put(name, [part, inner], "thing");
    await world.parent.put(name, [outer], "index");
    await world.startAndSync();
    expect(world.status.sync).toMatchObject({ state: "Succeeded", tags: { copied: 2 } });
    await expect(isHere("thing")).resolves.toBe(thing.descriptor.digest);
    await expect(isHere("index")).resolves.toBe(outer.descriptor.digest);
    world.parent.recent();
    await world.sync();
    expect(world.status.sync).toMatchObject({ tags: { upToDate: 2 } });
    expect(world.parent.recent().filter((ask) => ask.startsWith("fetch"))).toEqual([]);
  });
});
