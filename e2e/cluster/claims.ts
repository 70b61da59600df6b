import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "../../common/errors.ts";
import { clusterCount } from "./plan.ts";

/**
 * Which cluster has which network, so that several run side by side:
 *
 * ```text
 * <root>/<name>/               the cluster's own directory
 * <root>/.networks/<index>     holds the name of the cluster that has network <index>
 * ```
 */
export async function claimIndex(root: string, name: string): Promise<number> {
  const own = await claimedIndex(root, name);
  if (own !== undefined) return own;
  await mkdir(claims(root), { recursive: true, mode: 0o700 });
  for (let index = 0; index < clusterCount; index++) {
    try {
      await writeFile(join(claims(root), String(index)), name, { flag: "wx" });
      return index;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
  throw new Error(`there are ${clusterCount} clusters already: take one down first`);
}

/** The network that `name` has, if it has one. */
export async function claimedIndex(root: string, name: string): Promise<number | undefined> {
  for (let index = 0; index < clusterCount; index++) {
    const owner = await readFile(join(claims(root), String(index)), "utf8").catch(() => undefined);
    if (owner === name) return index;
  }
  return undefined;
}

/** Gives the network back, and removes the folders that nobody needs any more. */
export async function releaseIndex(root: string, index: number): Promise<void> {
  await rm(join(claims(root), String(index)), { force: true });
  for (const folder of [claims(root), root, dirname(root)]) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (hasCode(error, "ENOTEMPTY") || hasCode(error, "ENOENT")) return;
      throw error;
    }
  }
}

function claims(root: string): string {
  return join(root, ".networks");
}
