import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import { nodeFiles, type FileSystem } from "../files.ts";
import { MetadataDatabase } from "../metadata-database.ts";
import { copyDurably } from "../rescue/copy-file.ts";
import type { WithCopy } from "./collector.ts";

const copyName = "dry-run.db";

/** Removes, from `directory`, what a process left of a copy when it was killed. */
export async function clearCopies(directory: string, files: FileSystem): Promise<void> {
  for (const name of await files.list(directory)) {
    if (name.startsWith(copyName)) await files.remove(join(directory, name));
  }
}

/** Copies of `database` that lie in `directory`, as long as they are used. Needs as much room as the database. */
export function copyBeside(
  directory: string,
  database: MetadataDatabase,
  files: FileSystem,
  clock: Clock,
): WithCopy {
  const path = join(directory, copyName);
  return async (work) => {
    try {
      // Not SQLite's backup of a live connection: its last step may fall into the middle of a change.
      await database.still((file) => copyDurably(files, file, path));
      return await use(path, clock, work);
    } finally {
      await clearCopies(directory, files);
    }
  };
}

/** The same for a database in memory, whose copies lie among temporary files. */
export function copyOfMemory(database: MetadataDatabase, clock: Clock): WithCopy {
  return async (work) => {
    const directory = await mkdtemp(join(tmpdir(), "dry-run-"));
    try {
      const path = join(directory, "copy.db");
      database.statements.run("VACUUM INTO ?", path);
      return await use(path, clock, work);
    } finally {
      await rm(directory, { recursive: true });
    }
  };
}

async function use<T>(path: string, clock: Clock, work: (copy: MetadataDatabase) => Promise<T>): Promise<T> {
  // Nobody else opens it, and not every file system can share memory.
  const copy = await MetadataDatabase.open(path, clock, nodeFiles, true);
  try {
    return await work(copy);
  } finally {
    await copy.close();
  }
}
