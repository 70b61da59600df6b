import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { bundle } from "./bundle.ts";
import type { LayerEntry } from "./layer.ts";
import { thirdPartyNotices } from "./notices.ts";

/** Where the program lies in the image. */
export const command = "app/connected-registry.js";

/** The bundled program of the checkout `root`, with its licence and those of what it contains. */
export async function appEntries(root: string): Promise<readonly LayerEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), "connected-registry-bundle-"));
  try {
    const metafile = await bundle({ folder, sourcemap: false });
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    return [
      ...(await Promise.all(
        files.map(async (file): Promise<LayerEntry> => {
          const source = join(file.parentPath, file.name);
          const path = `app/${relative(folder, source)}`;
          return { kind: "file", path, content: await readFile(source), executable: path === command };
        }),
      )),
      // Node takes a .js file for an ES module only where a package.json says so.
      { kind: "file", path: "app/package.json", content: '{ "type": "module" }\n' },
      { kind: "file", path: "app/LICENSE", content: await readFile(join(root, "LICENSE")) },
      { kind: "file", path: "app/THIRD-PARTY-NOTICES", content: await thirdPartyNotices(root, metafile) },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}
