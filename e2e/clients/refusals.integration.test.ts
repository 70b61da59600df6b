import { type SampleImage, writeSampleImage } from "./images.ts";
import type { ClientCommand } from "./client-command.ts";
import { containersCommand } from "./containers.ts";
import { craneOf } from "./crane.ts";
import { regctlOf } from "./regctl.ts";
import { Site } from "./site.ts";

interface Attempts {
  readonly open: (site: Site) => Promise<ClientCommand>;
  readonly push: (image: SampleImage, reference: string) => readonly string[];
  readonly remove: (reference: string) => readonly string[];
  /** What it says when nothing more can be stored: not every client shows what the registry answers. */
  readonly full: string;
}

const clients: Readonly<Record<string, Attempts>> = {
  crane: {
    open: (site) => craneOf(site, site.people.writer),
    push: ({ layout }, reference) => ["push", layout, reference],
    remove: (reference) => ["delete", reference],
    full: "the registry's storage quota of 300 bytes is used up",
  },
  regctl: {
    open: (site) => regctlOf(site, site.people.writer),
    push: ({ layout }, reference) => ["image", "copy", `ocidir://${layout}:1.0`, reference],
    remove: (reference) => ["tag", "delete", reference],
    // It sends the chunk again of which a part is here, and shows only the answer to that.
    full: "Requested Range Not Satisfiable",
  },
  skopeo: {
    open: (site) => containersCommand("skopeo", site, site.people.writer),
    push: ({ layout }, reference) => ["copy", "--all", `oci:${layout}:1.0`, `docker://${reference}`],
    remove: (reference) => ["delete", `docker://${reference}`],
    full: "507 Insufficient Storage",
  },
};

describe.each(Object.entries(clients))(
  "%s says why the registry refuses",
  (_name, { open, push, remove, full }) => {
    let site: Site;
    let client: ClientCommand;
    let image: SampleImage;

    async function start(...settings: Parameters<typeof Site.open>): Promise<string> {
      site = await Site.open(...settings);
      client = await open(site);
      image = await writeSampleImage(site.folder, "hello");
      return `${site.host}/apps/hello`;
    }

    afterEach(() => site.close());

    test("a push: the registry is for reading only", async () => {
      const repository = await start({ mode: "ReadOnly" });
      await expect(client.run(push(image, `${repository}:1.0`))).rejects.toThrow(
        "This operation is not allowed on this registry.",
      );
    });

    test("a push: the quota is used up", async () => {
      const repository = await start({ storageQuotaBytes: 300 });
      await expect(client.run(push(image, `${repository}:1.0`))).rejects.toThrow(full);
    });

    test("a push: the tag is locked", async () => {
      const repository = await start();
      await client.run(push(image, `${repository}:1.0`));
      await site.lock("apps/hello", "1.0");
      const other = await writeSampleImage(site.folder, "other");
      await expect(client.run(push(other, `${repository}:1.0`))).rejects.toThrow(
        "The operation is disallowed on this registry, repository or image.",
      );
      expect((await site.manifest("apps/hello", "1.0")).digest).toBe(image.digest);
    });

    test("a deletion: it is switched off", async () => {
      const repository = await start({ deleteEnabled: false });
      await client.run(push(image, `${repository}:1.0`));
      await expect(client.run(remove(`${repository}:1.0`))).rejects.toThrow("deleting is switched off");
      expect(await site.tags("apps/hello")).toStrictEqual(["1.0"]);
    });
  },
);
