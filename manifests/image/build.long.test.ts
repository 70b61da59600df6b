import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildImage, type BuiltImage } from "./build.ts";
import { allPlatforms } from "./platforms.ts";

const root = resolve(import.meta.dirname, "../..");

describe("buildImage", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "image-"));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const build = (cache: string): Promise<BuiltImage> =>
    buildImage(
      {
        root,
        cacheFolder: join(folder, cache),
        platforms: allPlatforms,
        name: "example/a:1",
        refresh: false,
      },
      () => undefined,
    );

  test("answers the same digests from nothing, again from nothing, and from its cache", async () => {
    const first = await build("first");
    const second = await build("second");
    expect({ ...second, layoutPath: "" }).toEqual({ ...first, layoutPath: "" });
    expect(await build("first")).toEqual(first);
  });

  test("makes an image of at most 60 MB for each platform", async () => {
    const { platforms } = await build("first");
    expect(platforms.map(({ platform }) => platform)).toEqual(allPlatforms);
    for (const { compressedBytes } of platforms) expect(compressedBytes).toBeLessThan(60e6);
  });

  test("lets two builds share a cache at the same time", async () => {
    const [one, other] = await Promise.all([build("shared"), build("shared")]);
    expect(other).toEqual(one);
  });
});
