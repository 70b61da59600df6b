import { mkdir, mkdtemp, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../common/clock.ts";
import type { Bundle } from "./bundle.ts";
import { isExecutable } from "./executable.ts";
import { withLock } from "./lock.ts";

/** Other checkouts may use other versions, and a cluster runs from its files for as long as it is up. */
const unusedDays = 14;

/**
 * What was built or downloaded, kept for the next time:
 *
 * ```text
 * <root>/<name>-<version>-<key>/<program>   whole, since it is renamed into place when everything in it is on disk
 * <root>/.partial-<name>-<random>/          being filled; found by anybody who holds the lock: left by a run that died
 * <root>/.lock-<name>                       held while an entry of that name is made or removed
 * ```
 */
export class Cache {
  private readonly root: string;
  private readonly clock: Clock;

  constructor(root: string, clock: Clock) {
    this.root = root;
    this.clock = clock;
  }

  /** The folder with all programs of `bundle`, or undefined if there is none. */
  async find(bundle: Bundle, key: string): Promise<string | undefined> {
    const folder = this.folder(bundle, key);
    if (!(await isWhole(folder, bundle))) return undefined;
    const now = this.clock.now().toJSDate();
    await utimes(folder, now, now);
    return folder;
  }

  /**
   * The folder with all programs of `bundle`, filled by `fill` unless somebody else fills it first. Of all who ask at
   * the same time, in this and other processes, one fills and the others wait.
   *
   * @param waiting called while somebody else fills it
   */
  async add(
    bundle: Bundle,
    key: string,
    fill: (folder: string) => Promise<void>,
    signal: AbortSignal,
    waiting: () => void,
  ): Promise<string> {
    await mkdir(this.root, { recursive: true });
    return withLock(join(this.root, `.lock-${bundle.name}`), this.clock, signal, waiting, async () => {
      const found = await this.find(bundle, key);
      if (found !== undefined) return found;
      await this.remove((name) => name.startsWith(partialPrefix(bundle)));
      const partial = await mkdtemp(join(this.root, partialPrefix(bundle)));
      try {
        await fill(partial);
        if (!(await isWhole(partial, bundle)))
          throw new Error(`not all of ${bundle.programs.join(", ")} came`);
        await flush(partial);
        const folder = this.folder(bundle, key);
        await rm(folder, { recursive: true, force: true });
        await rename(partial, folder);
        await sync(this.root);
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
      await this.prune(bundle);
      return this.folder(bundle, key);
    });
  }

  private folder(bundle: Bundle, key: string): string {
    return join(this.root, `${bundle.name}-${bundle.version}-${key}`);
  }

  private async prune(bundle: Bundle): Promise<void> {
    const oldest = this.clock.now().minus({ days: unusedDays }).toMillis();
    await this.remove(async (name) => {
      if (!/^-[\d.]+-[\da-f]+$/u.test(name.slice(bundle.name.length)) || !name.startsWith(bundle.name))
        return false;
      return (await stat(join(this.root, name))).mtimeMs < oldest;
    });
  }

  private async remove(which: (name: string) => boolean | Promise<boolean>): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (await which(name)) await rm(join(this.root, name), { recursive: true, force: true });
    }
  }
}

function partialPrefix(bundle: Bundle): string {
  return `.partial-${bundle.name}-`;
}

async function isWhole(folder: string, bundle: Bundle): Promise<boolean> {
  const programs = await Promise.all(bundle.programs.map((program) => isExecutable(join(folder, program))));
  return programs.every((present) => present);
}

/** Brings everything in `folder` to the disk, so that a rename never gives a name to what a power cut then empties. */
async function flush(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await sync(join(folder, name));
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
