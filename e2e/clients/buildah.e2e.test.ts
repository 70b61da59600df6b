import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { cannotRunCluster } from "../cluster/can-run.ts";
import type { ClientCommand } from "./client-command.ts";
import { containersCommand } from "./containers.ts";
import { Site } from "./site.ts";

const cannot = await cannotRunCluster();

(cannot === undefined ? describe : describe.skip)("buildah", () => {
  let site: Site;
  let buildah: ClientCommand;
  let motd: string;

  beforeAll(async () => {
    site = await Site.open();
    buildah = await containersCommand("buildah", site, site.people.writer);
    motd = join(site.folder, "motd");
    await writeFile(motd, "hello from the edge\n");
  });

  afterAll(() => site.close());

  /** Builds an image from nothing and pushes it. Answers the digest that the client names. */
  async function seed(name: string): Promise<string> {
    const reference = `${site.host}/${name}:1.0`;
    const container = await buildah.run(["from", "scratch"]);
    await buildah.run(["copy", container, motd, "/etc/motd"]);
    await buildah.run(["config", "--cmd", "/bin/true", "--label", "team=edge", container]);
    await buildah.run(["commit", "--rm", container, reference]);
    return push(reference, reference);
  }

  async function push(image: string, reference: string, ...options: readonly string[]): Promise<string> {
    const file = join(site.folder, "pushed.digest");
    await buildah.run(["push", "--digestfile", file, ...options, image, `docker://${reference}`]);
    return readFile(file, "utf8");
  }

  /** A file of the image as it is mounted after a pull, by a person who has nothing of it yet. */
  async function pulledFile(client: ClientCommand, reference: string, path: string): Promise<string> {
    await client.run(["pull", reference]);
    const container = await client.run(["from", "--pull-never", reference]);
    const root = await client.run(["mount", container]);
    try {
      return await readFile(join(root, path), "utf8");
    } finally {
      await client.run(["rm", container]);
    }
  }

  test("builds, commits and pushes an image, which another pulls", async () => {
    const digest = await seed("apps/built");
    const { mediaType, digest: actual } = await site.manifest("apps/built", "1.0");
    expect(mediaType).toBe(mediaTypes.ociManifest);
    expect(actual).toBe(digest);
    const reader = await containersCommand("buildah", site, site.people.reader);
    const file = await pulledFile(reader, `${site.host}/apps/built:1.0`, "etc/motd");
    expect(file).toBe("hello from the edge\n");
  });

  test("builds upon an image that it pulls", async () => {
    await seed("apps/base");
    await buildah.run(["rmi", `${site.host}/apps/base:1.0`]);
    const containerfile = join(site.folder, "Containerfile");
    await writeFile(containerfile, `FROM ${site.host}/apps/base:1.0\nCOPY motd /etc/issue\n`);
    const reference = `${site.host}/apps/upon:1.0`;
    await buildah.run(["build", "--tag", reference, "--file", containerfile, site.folder]);
    expect((await site.manifest("apps/upon", "1.0")).status).toBe(404);
    const digest = await push(reference, reference);
    expect((await site.manifest("apps/upon", "1.0")).digest).toBe(digest);
  });

  test("pushes with Docker's media types, which come back as they are", async () => {
    await seed("apps/docker");
    const reference = `${site.host}/apps/docker:docker`;
    const digest = await push(`${site.host}/apps/docker:1.0`, reference, "--format", "v2s2");
    const { mediaType, digest: actual } = await site.manifest("apps/docker", "docker");
    expect(mediaType).toBe(mediaTypes.dockerManifest);
    expect(actual).toBe(digest);
    await buildah.run(["rmi", "--all"]);
    expect(await pulledFile(buildah, reference, "etc/motd")).toBe("hello from the edge\n");
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    await seed("apps/kept");
    const reader = await containersCommand("buildah", site, site.people.reader);
    const kept = `${site.host}/apps/kept:1.0`;
    await reader.run(["pull", kept]);
    for (const name of ["apps/kept:2.0", "apps/new:1.0"]) {
      const target = `docker://${site.host}/${name}`;
      await expect(reader.run(["push", "--retry", "0", kept, target])).rejects.toThrow(/: denied/u);
    }
    expect(await site.tags("apps/kept")).toStrictEqual(["1.0"]);
  });
});
