import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegistryProcess } from "../testing/registry-process.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { image, item, type Item } from "../content/testing/images.ts";

const command = join(import.meta.dirname, "..", "..", "cli", "main.ts");
const name = "apps/hello";

function imageOf(text: string): readonly [Item, Item, Item] {
  const config = item(JSON.stringify({ text }), mediaTypes.ociConfig);
  const layer = item(`layer of ${text}`);
  return [config, layer, image(config, [layer])];
}

describe("connected-registry plan", () => {
  let folder: string;
  let parent: RegistryProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plan-"));
    parent = new RegistryProcess([
      ...["--http", "--anonymous", "write", "--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0"],
      ...["--data", join(folder, "parent")],
    ]);
    url = await parent.url();
    for (const text of ["1.0.0", "1.1.0", "latest"]) await push(text);
  });

  afterAll(async () => {
    await parent.stop();
    await rm(folder, { recursive: true });
  });

  async function push(tag: string): Promise<void> {
    const [config, layer, manifest] = imageOf(tag);
    for (const { descriptor, bytes } of [config, layer]) {
      const put = await fetch(`${url}/v2/${name}/blobs/uploads/?digest=${descriptor.digest}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: new Uint8Array(bytes),
      });
      expect(put.status).toBe(201);
    }
    const put = await fetch(`${url}/v2/${name}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": mediaTypes.ociManifest },
      body: new Uint8Array(manifest.bytes),
    });
    expect(put.status).toBe(201);
  }

  async function settings(more: object = {}): Promise<string> {
    const path = join(folder, "settings.json");
    const place = { loginServer: new URL(url).host, protocol: "http" };
    const sync = { repositories: [{ name: "apps/*", tags: { semver: {} } }], pollIntervalSeconds: 1 };
    await writeFile(path, JSON.stringify({ version: 1, name: "edge", parent: place, sync, ...more }));
    return path;
  }

  function run(...args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [command, "plan", ...args], (error, out, err) => {
        resolve({ code: error === null ? 0 : error.code, out, err });
      });
    });
  }

  test("shows what a registry that has nothing yet would bring, as a table", async () => {
    const data = join(folder, "empty");
    const { code, out, err } = await run("--config", await settings(), "--data", data);
    expect({ code, err }).toEqual({
      code: 0,
      err: `${data} holds no content of a registry: nothing counts as here\n`,
    });
    const bytes = ["1.0.0", "1.1.0"]
      .flatMap(imageOf)
      .reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    expect(out).toMatch(/^REPOSITORY +SELECTED +HERE +TO FETCH +BYTES +FAILED +LEFT OUT\n/);
    expect(out).toMatch(new RegExp(`\\n${name} +2 +0 +2 +${bytes} B +- +1: 1 no version\\n`));
    expect(out).toContain(
      `2 tags are selected: 0 are here, 2 are to be fetched (${bytes} B). 1 are left out.`,
    );
    expect(await readdir(folder)).not.toContain("empty");
  });

  test("beside a registry that runs: what that has is here", async () => {
    const data = join(folder, "edge");
    const config = await settings();
    const edge = new RegistryProcess([
      ...["--http", "--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--data", data, "--config", config],
    ]);
    try {
      await edge.logged("a sync has ended");
      const { code, out } = await run("--config", config, "--data", data, "-o", "json");
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        complete: true,
        repositories: [{ repository: name, selected: 2, here: 2, toFetch: 0, leftOut: 1, bytes: 0 }],
        tags: [
          { tag: "1.0.0", state: "Here", digest: imageOf("1.0.0")[2].descriptor.digest },
          { tag: "1.1.0", state: "Here" },
          { tag: "latest", state: "LeftOut", reason: "no version" },
        ],
      });
    } finally {
      await edge.stop();
    }
    // And after it has stopped.
    const { out } = await run("--config", config, "--data", data, "--tags");
    expect(out).toMatch(/\napps\/hello:latest +LeftOut +- +no version\n/);
  });

  test("a registry that is suspended answers, too, and syncs nothing", async () => {
    const sync = { repositories: [{ name: "apps/*" }], planRequest: "before anything is synced" };
    const edge = new RegistryProcess([
      ...["--http", "--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0"],
      ...["--data", join(folder, "suspended"), "--config", await settings({ sync, suspend: true })],
    ]);
    try {
      await expect(edge.logged("a plan is made")).resolves.toMatchObject({
        ...{ request: "before anything is synced", state: "Succeeded" },
        ...{ selected: 3, here: 0, toFetch: 3, leftOut: 0 },
      });
      expect(edge.lines.filter(({ message }) => message === "a sync begins")).toEqual([]);
    } finally {
      await edge.stop();
    }
  });

  test("1 where something could not be looked at, and says what to do", async () => {
    const config = await settings({
      parent: { loginServer: "127.0.0.1:9", protocol: "http" },
    });
    const { code, err } = await run("--config", config, "--data", join(folder, "empty"));
    expect(code).toBe(1);
    expect(err).toContain("127.0.0.1:9");
  }, 60_000);

  test.each([
    { args: [], says: "--config" },
    { args: ["--config", "/nowhere.json"], says: "/nowhere.json: cannot be read" },
    { args: ["-o", "yaml", "--config", "/nowhere.json"], says: "Allowed choices are table, json" },
  ])("2 for wrong usage: $args", async ({ args, says }) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test("2 for settings without a parent, or without rules", async () => {
    const { code, err } = await run("--config", await settings({ parent: undefined }));
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining("parent: is needed: there is nobody to ask") as string,
    });
  });
});
