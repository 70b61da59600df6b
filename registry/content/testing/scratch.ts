import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders of one test file, which end with it. */
export class Scratch {
  private readonly folders: string[] = [];

  /** On a disk, where a sync takes its time. */
  onDisk(): Promise<string> {
    return this.make(tmpdir());
  }

  /** In memory where the machine has such a place: for stores that are opened by the thousand. */
  inMemory(): Promise<string> {
    return this.make("/dev/shm").catch(() => this.onDisk());
  }

  async clear(): Promise<void> {
    for (const folder of this.folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }

  private async make(parent: string): Promise<string> {
    const folder = await mkdtemp(join(parent, "faults-"));
    this.folders.push(folder);
    return folder;
  }
}
