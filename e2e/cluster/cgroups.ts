import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "../../common/errors.ts";

const mount = "/sys/fs/cgroup";
/** What kubelet and runc limit pods by. */
const unifiedControllers = ["cpu", "cpuset", "memory", "pids", "io"] as const;

/** Whether the machine has one hierarchy (version 2), or one per controller. */
function isUnified(): boolean {
  return existsSync(join(mount, "cgroup.controllers"));
}

/** Makes `cgroup`, for kubelet to put its pods under. */
export async function createCgroup(cgroup: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await mkdir(join(hierarchy, cgroup), { recursive: true });
  if (!isUnified()) return;
  const offered = new Set((await readFile(join(mount, "cgroup.controllers"), "utf8")).trim().split(" "));
  const enable = unifiedControllers.filter((name) => offered.has(name)).map((name) => `+${name}`);
  for (const folder of [mount, join(mount, cgroup)]) {
    await writeFile(join(folder, "cgroup.subtree_control"), enable.join(" "));
  }
}

/** Removes `cgroup` and those below it. Its processes have been killed; the kernel may still be clearing them away. */
export async function removeCgroup(cgroup: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, cgroup));
}

async function hierarchies(): Promise<readonly string[]> {
  if (isUnified()) return [mount];
  return (await readdir(mount, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(mount, name));
}

async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  for (let attempts = 100; ; attempts--) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return;
      if (!hasCode(error, "EBUSY") || attempts === 0) throw error;
      await delay(50);
    }
  }
}
