import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory, type FileSystem } from "../files.ts";

/** Whatever bytes can be read from. Somebody else closes it. */
export type ReadableFile = Pick<FileHandle, "read">;

const chunkBytes = 1024 * 1024;

/** Makes `to` a copy of `from`: `to` is what it was, or the whole copy, also after power loss. */
export async function copyDurably(files: FileSystem, from: ReadableFile, to: string): Promise<void> {
  const temporary = `${to}.tmp`;
  try {
    await copyBytes(files, from, temporary);
    await files.rename(temporary, to);
  } catch (error) {
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(files, dirname(to));
}

/** Runs `work` with the file `path` open for reading. */
export async function withFile<T>(
  files: FileSystem,
  path: string,
  work: (file: ReadableFile) => Promise<T>,
): Promise<T> {
  const file = await files.open(path, "r");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function copyBytes(files: FileSystem, from: ReadableFile, to: string): Promise<void> {
  const target = await files.open(to, "w", 0o600);
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let at = 0; ;) {
      const { bytesRead } = await from.read(buffer, 0, chunkBytes, at);
      if (bytesRead === 0) break;
      for (let written = 0; written < bytesRead;) {
        const { bytesWritten } = await target.write(buffer, written, bytesRead - written, at + written);
        written += bytesWritten;
      }
      at += bytesRead;
    }
    await target.sync();
  } finally {
    await target.close();
  }
}
