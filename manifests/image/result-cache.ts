import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../common/clock.ts";
import { hasCode } from "../../common/errors.ts";

const partial = ".partial";
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Folders of files that are costly to make and never change once made.
 *
 * # Guarantees
 * - A folder that is answered is whole: it was made under another name, and renamed when it was done.
 * - Of several who make the same at once, all get the same folder; nobody waits for another.
 */
export class ResultCache {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The folder called `name`; `make` fills it if it is not there yet. `name` must say all that the result depends on. */
  async get(name: string, make: (folder: string) => Promise<void>): Promise<string> {
    const done = join(this.folder, name);
    if (await exists(done)) return done;
    await this.removeAbandoned();
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

  /** What a killed process left behind: nobody works on one thing for a day. */
  private async removeAbandoned(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const name of (await readdir(this.folder)).filter((candidate) => candidate.endsWith(partial))) {
      const path = join(this.folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (systemClock.now().toMillis() - mtimeMs > dayMs) await rm(path, { recursive: true, force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
