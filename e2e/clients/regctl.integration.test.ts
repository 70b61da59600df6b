import { join } from "node:path";
import type { ClientCommand } from "./client-command.ts";
import { type SampleImage, writeSampleImage } from "./images.ts";
import { contentOf } from "./layout-content.ts";
import { regctlOf } from "./regctl.ts";
import { Site } from "./site.ts";

const sbom = '{"spdxVersion":"SPDX-2.3"}\n';
const sbomType = "application/spdx+json";
const digests = "{{range .Descriptors}}{{.Digest}} {{end}}";

describe("regctl", () => {
  let site: Site;
  let image: SampleImage;
  let regctl: ClientCommand;

  beforeAll(async () => {
    site = await Site.open();
    image = await writeSampleImage(site.folder, "hello");
    regctl = await regctlOf(site, site.people.writer);
  });

  afterAll(() => site.close());

  /** Copies the image there. */
  async function seed(name: string): Promise<string> {
    const repository = `${site.host}/${name}`;
    await regctl.run(["image", "copy", `ocidir://${image.layout}:1.0`, `${repository}:1.0`]);
    return repository;
  }

  async function attach(subject: string): Promise<string> {
    const put = ["artifact", "put", "--artifact-type", sbomType, "--file-media-type", sbomType];
    const format = ["--format", "{{.Manifest.GetDescriptor.Digest}}"];
    return regctl.run([...put, "--subject", subject, ...format], sbom);
  }

  test("copies an image with its platforms there and back", async () => {
    const repository = await seed("apps/copied");
    expect((await site.manifest("apps/copied", "1.0")).digest).toBe(image.digest);
    const back = join(site.folder, "back");
    await regctl.run(["image", "copy", `${repository}:1.0`, `ocidir://${back}:1.0`]);
    expect(await contentOf(back)).toStrictEqual(await contentOf(image.layout));
  });

  test("lists repositories and tags, page by page", async () => {
    const repository = await seed("apps/listed");
    for (const tag of ["1.1", "2.0"]) {
      await regctl.run(["image", "copy", `${repository}:1.0`, `${repository}:${tag}`]);
    }
    expect((await regctl.run(["repo", "ls", site.host])).split("\n")).toContain("apps/listed");
    expect((await regctl.run(["tag", "ls", repository])).split("\n")).toStrictEqual(["1.0", "1.1", "2.0"]);
    expect(await regctl.run(["tag", "ls", repository, "--limit", "1", "--last", "1.0"])).toBe("1.1");
  });

  test("attaches an artifact, finds it by its subject and its type, and gets it", async () => {
    const repository = await seed("apps/attached");
    const artifact = await attach(`${repository}:1.0`);
    const list = ["artifact", "list", `${repository}:1.0`, "--format", digests, "--filter-artifact-type"];
    expect(await regctl.run([...list, sbomType])).toBe(artifact);
    expect(await regctl.run([...list, "application/vnd.other"])).toBe("");
    expect(await site.referrers("apps/attached", image.digest)).toMatchObject([
      { artifactType: sbomType, digest: artifact },
    ]);
    const got = await regctl.run(["artifact", "get", "--subject", `${repository}:1.0`]);
    expect(got).toBe(sbom.trim());
    // The registry answers for the referrers, so that no tag has to stand in for them.
    expect(await site.tags("apps/attached")).toStrictEqual(["1.0"]);
  });

  test("copies what refers to an image, and to its platforms, with it", async () => {
    const repository = await seed("apps/referred");
    const ofIndex = await attach(`${repository}:1.0`);
    const ofPlatform = await attach(`${repository}@${image.platforms.arm64}`);
    await regctl.run(["image", "copy", "--referrers", `${repository}:1.0`, `${site.host}/apps/along:1.0`]);
    expect(await site.referrers("apps/along", image.digest)).toMatchObject([{ digest: ofIndex }]);
    expect(await site.referrers("apps/along", image.platforms.arm64)).toMatchObject([{ digest: ofPlatform }]);
  });

  test("puts, asks for and gets a blob, in chunks too", async () => {
    const repository = await seed("apps/blobs");
    const bytes = "0123456789".repeat(1_000);
    await regctl.run(["registry", "set", site.host, "--blob-chunk", "4096", "--blob-max", "4096"]);
    const digest = await regctl.run(["blob", "put", repository], bytes);
    expect(await regctl.run(["blob", "get", repository, digest])).toBe(bytes);
    const head = await regctl.run(["blob", "head", repository, digest]);
    expect(head).toContain(`Docker-Content-Digest: ${digest}`);
    expect((await site.ask(`/v2/apps/blobs/blobs/${digest}`)).digest).toBe(digest);
  });

  test("deletes a tag, then a manifest", async () => {
    const repository = await seed("apps/deleted");
    await regctl.run(["tag", "delete", `${repository}:1.0`]);
    expect(await site.tags("apps/deleted")).toStrictEqual([]);
    expect((await site.manifest("apps/deleted", image.digest)).status).toBe(200);
    await regctl.run(["manifest", "delete", `${repository}@${image.digest}`]);
    expect((await site.manifest("apps/deleted", image.digest)).status).toBe(404);
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const repository = await seed("apps/kept");
    const reader = await regctlOf(site, site.people.reader);
    const denied = /http 403.*DENIED.*requested access to the resource is denied/u;
    for (const args of [
      ["image", "copy", `ocidir://${image.layout}:1.0`, `${repository}:2.0`],
      ["image", "copy", `ocidir://${image.layout}:1.0`, `${site.host}/apps/new:1.0`],
      ["tag", "delete", `${repository}:1.0`],
      ["manifest", "delete", `${repository}@${image.digest}`],
      ["artifact", "put", "--artifact-type", sbomType, "--subject", `${repository}:1.0`],
    ]) {
      await expect(reader.run(args, sbom)).rejects.toThrow(denied);
    }
    expect(await reader.run(["tag", "ls", repository])).toBe("1.0");
    expect(await site.referrers("apps/kept", image.digest)).toStrictEqual([]);
  });
});
