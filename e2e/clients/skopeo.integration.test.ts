import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import type { ClientCommand } from "./client-command.ts";
import { containersCommand } from "./containers.ts";
import { type SampleImage, writeSampleImage } from "./images.ts";
import { contentOf } from "./layout-content.ts";
import { Site } from "./site.ts";

describe("skopeo", () => {
  let site: Site;
  let image: SampleImage;
  let skopeo: ClientCommand;

  beforeAll(async () => {
    site = await Site.open();
    image = await writeSampleImage(site.folder, "hello");
    skopeo = await containersCommand("skopeo", site, site.people.writer);
  });

  afterAll(() => site.close());

  /** Copies the image there. */
  async function seed(name: string): Promise<string> {
    const repository = `docker://${site.host}/${name}`;
    await skopeo.run(["copy", "--all", `oci:${image.layout}:1.0`, `${repository}:1.0`]);
    return repository;
  }

  test("copies an image with its platforms there and back", async () => {
    const repository = await seed("apps/copied");
    expect((await site.manifest("apps/copied", "1.0")).digest).toBe(image.digest);
    const back = join(site.folder, "back");
    await skopeo.run(["copy", "--all", `${repository}:1.0`, `oci:${back}:1.0`]);
    expect(await contentOf(back)).toStrictEqual(await contentOf(image.layout));
  });

  test("copies between repositories", async () => {
    const repository = await seed("apps/source");
    const target = `docker://${site.host}/apps/target:1.0`;
    await skopeo.run(["copy", "--all", "--preserve-digests", `${repository}:1.0`, target]);
    expect((await site.manifest("apps/target", "1.0")).digest).toBe(image.digest);
  });

  test("copies one platform, and says what it is", async () => {
    await skopeo.run([
      ...["--override-arch", "arm64", "copy"],
      ...[`oci:${image.layout}:1.0`, `docker://${site.host}/apps/arm:1.0`],
    ]);
    expect((await site.manifest("apps/arm", "1.0")).digest).toBe(image.platforms.arm64);
    const described = await skopeo.run(["inspect", `docker://${site.host}/apps/arm:1.0`]);
    expect(JSON.parse(described)).toMatchObject({
      Name: `${site.host}/apps/arm`,
      Digest: image.platforms.arm64,
      RepoTags: ["1.0"],
      Architecture: "arm64",
    });
  });

  test("converts to Docker's media types, which come back as they are", async () => {
    const repository = await seed("apps/docker");
    const digestFile = join(site.folder, "docker.digest");
    await skopeo.run([
      ...["copy", "--all", "--format", "v2s2", "--digestfile", digestFile],
      ...[`${repository}:1.0`, `${repository}:docker`],
    ]);
    const { digest, mediaType, body } = await site.manifest("apps/docker", "docker");
    expect(mediaType).toBe(mediaTypes.dockerList);
    expect(digest).toBe(await readFile(digestFile, "utf8"));
    const { manifests } = JSON.parse(body.toString()) as {
      manifests: { mediaType: string; digest: string }[];
    };
    expect(manifests.map((each) => each.mediaType)).toStrictEqual(Array(2).fill(mediaTypes.dockerManifest));
    for (const platform of manifests) {
      expect((await site.manifest("apps/docker", platform.digest)).digest).toBe(platform.digest);
    }
    const folder = join(site.folder, "docker");
    await skopeo.run(["copy", "--all", `${repository}:docker`, `dir:${folder}`]);
    expect(await readFile(join(folder, "manifest.json"))).toStrictEqual(body);
  });

  test("lists tags, and deletes", async () => {
    const repository = await seed("apps/deleted");
    await skopeo.run(["copy", "--format", "v2s2", `oci:${image.layout}:1.0`, `${repository}:2.0`]);
    const tagsOf = async (): Promise<unknown> =>
      (JSON.parse(await skopeo.run(["list-tags", repository])) as { Tags: unknown }).Tags;
    expect(await tagsOf()).toStrictEqual(["1.0", "2.0"]);
    await skopeo.run(["delete", `${repository}:1.0`]);
    expect(await tagsOf()).toStrictEqual(["2.0"]);
    expect((await site.manifest("apps/deleted", image.digest)).status).toBe(404);
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const repository = await seed("apps/kept");
    const reader = await containersCommand("skopeo", site, site.people.reader);
    const copy = ["copy", "--all", `oci:${image.layout}:1.0`];
    await expect(reader.run([...copy, `${repository}:2.0`])).rejects.toThrow(/uploading manifest .*denied/u);
    await expect(reader.run([...copy, `docker://${site.host}/apps/new:1.0`])).rejects.toThrow(
      /initiating layer upload .*denied/u,
    );
    await expect(reader.run(["delete", `${repository}:1.0`])).rejects.toThrow(
      /[Ff]ailed to delete .*denied/u,
    );
    expect(await site.tags("apps/kept")).toStrictEqual(["1.0"]);
  });

  test("says when the password is wrong", async () => {
    const wrong = { name: "writer", password: site.people.reader.password };
    await expect(containersCommand("skopeo", site, wrong)).rejects.toThrow("invalid username/password");
  });
});
