import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The repository that the chart pulls from unless told otherwise. */
const imageRepository = "connectedregistry.io/connected-registry";

/** The version of the checkout `root`: of its package, its image and its chart. */
export async function versionOf(root: string): Promise<string> {
  return (JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string }).version;
}

/** The image that the chart of the checkout `root` runs unless told otherwise. */
export async function defaultImage(root: string): Promise<string> {
  return `${imageRepository}:${await versionOf(root)}`;
}
