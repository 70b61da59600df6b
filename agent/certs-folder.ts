import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../common/atomic-file.ts";
import { hasCode } from "../common/errors.ts";
import { caFile, hostsFile, marker, type HostFiles } from "./hosts.ts";

/** What one reconcile found and did; host names, sorted. */
export interface CertsReport {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Folders that somebody else has made for a host of ours. They are left alone, so nodes do not trust that host. */
  readonly foreign: readonly string[];
}

/** The files we write, and what a crash while writing leaves of them. */
const ourName = /^(ca\.crt|hosts\.toml)(\.[0-9a-f-]{36}\.tmp)?$/;

/**
 * containerd's registry folder on a node (`certs.d`), of which only a part is ours:
 *
 * ```text
 * <root>/<host>/ca.crt, hosts.toml    ours if they begin with the marker
 * <root>/<host>/…                     anything else in any folder is somebody's: never changed, removed or followed (T94)
 * ```
 *
 * # Guarantees
 * - Each file is replaced as a whole. `hosts.toml` is there only while the `ca.crt` that it names is.
 * - Level-based: a crash at any moment leaves what the next call completes or removes.
 * # Caveats
 * A crash between removing the last file of a host and its folder leaves the empty folder, which containerd ignores.
 */
export class CertsFolder {
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Makes the folder hold exactly `desired`, and what is not ours. */
  async reconcile(desired: ReadonlyMap<string, HostFiles>): Promise<CertsReport> {
    const present = (await readdir(this.root)).sort();
    const removed = [];
    for (const name of present) {
      if (!desired.has(name) && (await this.removeOurs(name))) removed.push(name);
    }
    const written = [];
    const foreign = [];
    for (const host of [...desired.keys()].sort()) {
      const outcome = await this.write(host, desired.get(host) ?? new Map<string, string>());
      if (outcome === "written") written.push(host);
      if (outcome === "foreign") foreign.push(host);
    }
    return { written, removed, foreign };
  }

  private async write(host: string, files: HostFiles): Promise<"written" | "unchanged" | "foreign"> {
    const folder = join(this.root, host);
    await mkdir(folder, { mode: 0o755 }).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
    if (!(await isOurs(folder, files))) return "foreign";
    await removeAbandoned(folder);
    let outcome: "written" | "unchanged" = "unchanged";
    for (const [name, content] of files) {
      const path = join(folder, name);
      if ((await readOwn(path)) === content) continue;
      await writeAtomically(path, content, 0o644);
      outcome = "written";
    }
    // Only now does nothing name it any more.
    if (!files.has(caFile) && (await readOwn(join(folder, caFile))) !== undefined) {
      await rm(join(folder, caFile));
      outcome = "written";
    }
    return outcome;
  }

  /** Whether there was anything of ours in the folder `name`. */
  private async removeOurs(name: string): Promise<boolean> {
    const folder = join(this.root, name);
    if (!(await isFolder(folder))) return false;
    let found = await removeAbandoned(folder);
    for (const file of [hostsFile, caFile]) {
      if ((await readOwn(join(folder, file))) === undefined) continue;
      await rm(join(folder, file));
      found = true;
    }
    if (found) {
      await rmdir(folder).catch((error: unknown) => {
        if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
      });
    }
    return found;
  }
}

/**
 * Whether we may write `files` into `folder`: with a `hosts.toml` of ours it is ours, whatever else was added to it
 * since; without one, only if nobody else has put anything there, since a `hosts.toml` changes what the rest means.
 */
async function isOurs(folder: string, files: HostFiles): Promise<boolean> {
  if (!(await isFolder(folder))) return false;
  const present = await readdir(folder);
  for (const name of present.filter((candidate) => files.has(candidate))) {
    if ((await readOwn(join(folder, name))) === undefined) return false;
  }
  return present.includes(hostsFile) || present.every((name) => ourName.test(name));
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path)).isDirectory();
}

async function removeAbandoned(folder: string): Promise<boolean> {
  const abandoned = (await readdir(folder)).filter((name) => ourName.exec(name)?.[2] !== undefined);
  for (const name of abandoned) await rm(join(folder, name));
  return abandoned.length > 0;
}

/** The content of a regular file that begins with our marker; `undefined` for anything else, and for none. */
async function readOwn(path: string): Promise<string | undefined> {
  try {
    // Neither a link nor a pipe may lead or hold us anywhere.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return undefined;
      const content = await file.readFile("utf8");
      return content.startsWith(marker) ? content : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ELOOP")) return undefined;
    throw error;
  }
}
