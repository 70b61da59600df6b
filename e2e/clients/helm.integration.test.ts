import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClientCommand } from "./client-command.ts";
import { type Person, Site } from "./site.ts";

const version = "1.2.3+build.7";

describe("helm", () => {
  let site: Site;
  let helm: ClientCommand;
  let archive: string;

  beforeAll(async () => {
    site = await Site.open();
    helm = await loggedIn(site.people.writer);
    const chart = join(site.folder, "edge");
    await mkdir(join(chart, "templates"), { recursive: true });
    await writeFile(join(chart, "Chart.yaml"), `apiVersion: v2\nname: edge\nversion: ${version}\n`);
    await writeFile(
      join(chart, "templates", "settings.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
    );
    await helm.run(["package", chart, "--destination", site.folder]);
    archive = join(site.folder, `edge-${version}.tgz`);
  });

  afterAll(() => site.close());

  async function loggedIn({ name, password }: Person): Promise<ClientCommand> {
    const command = await ClientCommand.create("helm", join(site.folder, `helm-of-${name}`));
    const login = ["registry", "login", site.host, "--username", name, "--password-stdin"];
    await command.run([...login, "--ca-file", site.caFile], password);
    return command;
  }

  const trusted = (...args: readonly string[]): readonly string[] => [...args, "--ca-file", site.caFile];

  /** Pushes the chart there. */
  async function seed(folder: string): Promise<string> {
    await helm.run(trusted("push", archive, `oci://${site.host}/${folder}`));
    return `oci://${site.host}/${folder}/edge`;
  }

  test("pushes a chart, whose version becomes a tag, and pulls it unchanged", async () => {
    const chart = await seed("charts");
    expect(await site.tags("charts/edge")).toStrictEqual(["1.2.3_build.7"]);
    const { body } = await site.manifest("charts/edge", "1.2.3_build.7");
    const { config, layers } = JSON.parse(body.toString()) as {
      config: { mediaType: string };
      layers: { digest: string }[];
    };
    expect(config.mediaType).toBe("application/vnd.cncf.helm.config.v1+json");
    const bytes = await readFile(archive);
    expect(layers).toMatchObject([{ digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` }]);
    const folder = await site.room("pulled");
    await helm.run(trusted("pull", chart, "--version", version, "--destination", folder));
    expect(await readFile(join(folder, `edge-${version}.tgz`))).toStrictEqual(bytes);
  });

  test("finds a version by a range, shows and renders it", async () => {
    const chart = await seed("shown");
    const shown = await helm.run(trusted("show", "chart", chart, "--version", "~1.2.0"));
    expect(shown).toContain(`version: ${version}`);
    const rendered = await helm.run(trusted("template", "contoso", chart));
    expect(rendered).toContain("name: contoso");
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const chart = await seed("kept");
    const reader = await loggedIn(site.people.reader);
    for (const folder of ["kept", "new"]) {
      // Another version: what is there already need not be pushed.
      const next = join(site.folder, "edge");
      await reader.run(["package", next, "--version", "2.0.0", "--destination", reader.home]);
      const push = trusted("push", join(reader.home, "edge-2.0.0.tgz"), `oci://${site.host}/${folder}`);
      await expect(reader.run(push)).rejects.toThrow("denied: requested access to the resource is denied");
    }
    expect(await reader.run(trusted("show", "chart", chart))).toContain(`version: ${version}`);
    expect(await site.tags("kept/edge")).toStrictEqual(["1.2.3_build.7"]);
  });

  test("says when the password is wrong", async () => {
    const wrong = { name: "writer", password: site.people.reader.password };
    await expect(loggedIn(wrong)).rejects.toThrow("unauthorized: authentication required");
  });
});
