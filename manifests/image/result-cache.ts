import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../common/clock.ts";
import { hasCode } from "../../common/errors.ts";

const partial = ".partial";
/** Nobody works on one thing for a day… */
const abandonedDays = 1;
/** …and other checkouts may use other versions. */
const unusedDays = 14;

/**
 * Folders of files that are costly to make and never change once made. What was not asked for in two weeks is removed.
 *
 * # Guarantees
 * - A folder that is answered is whole: it was made under another name, and renamed when it was done.
 * - Of several who make the same at once, all get the same folder; nobody waits for another.
 */
export class ResultCache {
  private readonly folder: string;
  private readonly clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /** The folder called `name`; `make` fills it if it is not there yet. `name` must say all that the result depends on. */
  async get(name: string, make: (folder: string) => Promise<void>): Promise<string> {
    const done = join(this.folder, name);
    if (await this.touch(done)) return done;
    await this.prune();
    const unfinished = join(this.folder, `${name}.${randomUUID()}${partial}`);
    try {
      await mkdir(unfinished, { recursive: true });
      await make(unfinished);
      await rename(unfinished, done);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      // Somebody else was quicker; theirs is as good as ours.
      if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
    }
    return done;
  }

  async forget(name: string): Promise<void> {
    await rm(join(this.folder, name), { recursive: true, force: true });
  }

  /** Notes that the folder is in use. Answers whether it is there. */
  private async touch(path: string): Promise<boolean> {
    const now = this.clock.now().toJSDate();
    try {
      await utimes(path, now, now);
      return true;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return false;
      throw error;
    }
  }

  /** Removes what a killed process left behind, and what nobody uses any more. */
  private async prune(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const name of await readdir(this.folder)) {
      const days = name.endsWith(partial) ? abandonedDays : unusedDays;
      const path = join(this.folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (mtimeMs < this.clock.now().minus({ days }).toMillis())
        await rm(path, { recursive: true, force: true });
    }
  }
}
