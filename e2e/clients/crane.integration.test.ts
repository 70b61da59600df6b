import { join } from "node:path";
import type { ClientCommand } from "./client-command.ts";
import { craneOf, craneOfNobody } from "./crane.ts";
import { type SampleImage, writeSampleImage } from "./images.ts";
import { contentOf } from "./layout-content.ts";
import { Site } from "./site.ts";

describe("crane", () => {
  let site: Site;
  let image: SampleImage;
  let crane: ClientCommand;

  beforeAll(async () => {
    site = await Site.open();
    image = await writeSampleImage(site.folder, "hello");
    crane = await craneOf(site, site.people.writer);
  });

  afterAll(() => site.close());

  const lines = (text: string): readonly string[] => text.split("\n");

  /** Pushes the image there. */
  async function seed(name: string): Promise<string> {
    const repository = `${site.host}/${name}`;
    await crane.run(["push", image.layout, `${repository}:1.0`]);
    return repository;
  }

  test("pushes an image with its platforms and pulls it, whole and unchanged", async () => {
    const repository = await seed("apps/pushed");
    expect((await site.manifest("apps/pushed", "1.0")).digest).toBe(image.digest);
    expect(await crane.run(["digest", `${repository}:1.0`])).toBe(image.digest);
    const back = join(site.folder, "back");
    await crane.run(["pull", "--format", "oci", `${repository}:1.0`, back]);
    expect(await contentOf(back)).toStrictEqual(await contentOf(image.layout));
    expect(await crane.run(["validate", "--remote", `${repository}:1.0`])).toContain("PASS");
  });

  test("copies between repositories, and pulls one platform of the copy", async () => {
    const repository = await seed("apps/source");
    await crane.run(["copy", `${repository}:1.0`, `${site.host}/apps/target:2.0`]);
    expect((await site.manifest("apps/target", "2.0")).digest).toBe(image.digest);
    const config = await crane.run(["config", "--platform", "linux/arm64", `${site.host}/apps/target:2.0`]);
    expect(JSON.parse(config)).toMatchObject({ architecture: "arm64" });
  });

  test("tags, and lists tags and repositories", async () => {
    const repository = await seed("apps/tagged");
    await crane.run(["tag", `${repository}:1.0`, "stable"]);
    expect(lines(await crane.run(["ls", repository]))).toStrictEqual(["1.0", "stable"]);
    expect(lines(await crane.run(["catalog", site.host]))).toContain("apps/tagged");
  });

  test("changes an image there, of which only what is new is pushed", async () => {
    const repository = await seed("apps/mutated");
    const platform = `${repository}@${image.platforms.amd64}`;
    await crane.run(["mutate", platform, "--label", "team=edge", "--tag", `${repository}:labelled`]);
    const config = await crane.run(["config", `${repository}:labelled`]);
    expect(JSON.parse(config)).toMatchObject({ config: { Labels: { team: "edge" } } });
  });

  test("deletes by tag and by digest", async () => {
    const repository = await seed("apps/deleted");
    await crane.run(["tag", `${repository}:1.0`, "2.0"]);
    await crane.run(["delete", `${repository}:2.0`]);
    expect(await site.tags("apps/deleted")).toStrictEqual(["1.0"]);
    await crane.run(["delete", `${repository}@${image.digest}`]);
    expect((await site.manifest("apps/deleted", image.digest)).status).toBe(404);
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const repository = await seed("apps/kept");
    const reader = await craneOf(site, site.people.reader);
    for (const args of [
      ["push", image.layout, `${repository}:2.0`],
      ["push", image.layout, `${site.host}/apps/new:1.0`],
      ["tag", `${repository}:1.0`, "2.0"],
      ["copy", `${repository}:1.0`, `${site.host}/apps/new:1.0`],
      ["delete", `${repository}:1.0`],
    ]) {
      await expect(reader.run(args)).rejects.toThrow("DENIED: requested access to the resource is denied");
    }
    expect(lines(await reader.run(["ls", repository]))).toStrictEqual(["1.0"]);
  });

  test("says that nobody comes in without logging in", async () => {
    const stranger = await craneOfNobody(site);
    await expect(stranger.run(["ls", `${site.host}/apps/kept`])).rejects.toThrow(
      "UNAUTHORIZED: authentication required",
    );
    const wrong = { name: "writer", password: site.people.reader.password };
    const mistaken = await craneOf(site, wrong);
    await expect(mistaken.run(["ls", `${site.host}/apps/kept`])).rejects.toThrow(
      "UNAUTHORIZED: authentication required",
    );
  });
});
