import { createWriteStream } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/**
 * Writes the OCI image layout `folder` as one tar archive, as `ctr images import`, `docker load`, `podman load` and
 * `skopeo` read it. Same layout, same bytes; `file` is replaced as a whole or not at all.
 */
export async function writeArchive(folder: string, file: string): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(`${file}.partial`));
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
  for (const path of paths) {
    const content = await readFile(join(folder, path));
    await new Promise<void>((resolve, reject) => {
      archive.entry({ name: path, mode: 0o644, mtime: new Date(0) }, content, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
  archive.finalize();
  await written;
  await rename(`${file}.partial`, file);
}
