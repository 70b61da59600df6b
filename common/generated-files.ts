import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "./errors.ts";

/** Files that are made from others, by their paths below `root`. */
export interface GeneratedFiles {
  readonly root: string;
  readonly wanted: ReadonlyMap<string, string>;
  /** What lies where they are made though it may be wanted no more. */
  readonly present: readonly string[];
}

/**
 * Writes the files, and removes what is not wanted; or, if the arguments have `--verify`, writes nothing and tells
 * `say` what is stale.
 *
 * @returns the exit code of the process: 1 if something is stale
 */
export async function settleFiles(
  { root, wanted, present }: GeneratedFiles,
  processArguments: readonly string[],
  say: (line: string) => void,
): Promise<number> {
  const leftOver = present.filter((path) => !wanted.has(path));
  if (processArguments.includes("--verify")) {
    const stale = [...leftOver];
    for (const [path, content] of wanted) {
      if ((await contentOf(join(root, path))) !== content) stale.push(path);
    }
    for (const path of stale.sort()) say(`stale: ${path}`);
    if (stale.length === 0) return 0;
    say('Run "npm run generate" and commit the result.');
    return 1;
  }
  for (const path of leftOver) await rm(join(root, path));
  for (const [path, content] of wanted) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return 0;
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  });
}
