import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The digests of all that an OCI image layout holds, sorted.
 *
 * @throws if a file is not what its name says
 */
export async function contentOf(layout: string): Promise<readonly string[]> {
  const folder = join(layout, "blobs", "sha256");
  const names = (await readdir(folder)).sort();
  for (const name of names) {
    const actual = createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
    if (actual !== name) throw new Error(`${join(folder, name)} has the digest ${actual}`);
  }
  return names;
}
