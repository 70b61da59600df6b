import { execFile } from "node:child_process";
import { promisify } from "node:util";

const command = promisify(execFile);

export interface Revision {
  /** The commit, with `-dirty` if the checkout differs from it. */
  readonly commit: string;
  /** When it was committed, ISO 8601. */
  readonly time: string;
}

/** What the checkout `root` was made from; `undefined` where that is not to be known, as in a source archive. */
export async function revisionOf(root: string): Promise<Revision | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await command("git", ["-C", root, ...args], { env: { ...process.env, TZ: "UTC" } })).stdout.trim();
  try {
    const [head, time, changes] = await Promise.all([
      git("rev-parse", "HEAD"),
      git("show", "--no-patch", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "HEAD"),
      git("status", "--porcelain"),
    ]);
    return { commit: changes === "" ? head : `${head}-dirty`, time };
  } catch {
    return undefined;
  }
}
