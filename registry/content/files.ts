import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import pLimit from "p-limit";

/** One for the whole process, since it is about the threads of the process. See `syncFile`. */
const syncs = pLimit(8);

/** The file operations that the store needs: a seam at which tests let any one of them fail or be the last. */
export interface FileSystem {
  readonly open: typeof open;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Makes `path` and its parents, and resolves with the first directory that was made. */
  readonly makeDirectories: (path: string) => Promise<string | undefined>;
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly stat: (path: string) => Promise<{ readonly size: number; readonly mtimeMs: number }>;
  readonly remove: (path: string) => Promise<void>;
}

export const nodeFiles: FileSystem = {
  open,
  rename,
  makeDirectories: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  list: (path) => readdir(path),
  stat: (path) => stat(path),
  remove: (path) => rm(path, { force: true }),
};

/**
 * Makes what was written to `handle` survive power loss. Only some syncs run at once: each keeps one of the threads that
 * files are read by until the disk is done, and pulls need threads however many pushes wait for a slow disk.
 */
export function syncFile(handle: FileHandle): Promise<void> {
  return syncs(() => handle.sync());
}

/** Makes the entries of a directory survive power loss. */
export async function syncDirectory(files: FileSystem, path: string): Promise<void> {
  const handle = await files.open(path, "r");
  try {
    await syncFile(handle);
  } finally {
    await handle.close();
  }
}

/** Makes `path` and its parents, so that they survive power loss. */
export async function ensureDirectory(files: FileSystem, path: string): Promise<void> {
  const first = await files.makeDirectories(path);
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncDirectory(files, dirname(made));
    if (made === first) return;
  }
}
