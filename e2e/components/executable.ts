import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";

export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** The absolute path of the first executable called `name` in `folders`. */
export async function findExecutable(
  name: string,
  folders: readonly string[],
  accept: (file: string) => Promise<boolean> = isExecutable,
): Promise<string | undefined> {
  for (const folder of folders) {
    const file = resolve(folder, name);
    if ((await isExecutable(file)) && (await accept(file))) return file;
  }
  return undefined;
}

/** The folders of a variable such as `PATH`. Relative ones are left out: what they mean depends on where one stands. */
export function foldersOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
}

/** `PATH`, and the folders of administrators' programs, which many people's `PATH` leaves out. */
export function searchPath(path: string | undefined): readonly string[] {
  return [...foldersOf(path), "/usr/local/sbin", "/usr/sbin", "/sbin"].map((folder) => join(folder));
}

const elf64Header = 64;
const interpreterSegment = 3;

/** Whether `file` is a 64-bit ELF program that needs no dynamic linker, so that it runs in an image that has nothing else. */
export async function isStatic(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const header = Buffer.alloc(elf64Header);
    await handle.read(header, 0, elf64Header, 0);
    if (header.toString("latin1", 0, 4) !== "\x7fELF" || header.readUInt8(4) !== 2) return false;
    const offset = Number(header.readBigUInt64LE(32));
    const [size, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
    const segments = Buffer.alloc(size * count);
    await handle.read(segments, 0, segments.length, offset);
    for (let i = 0; i < count; i++) if (segments.readUInt32LE(i * size) === interpreterSegment) return false;
    return true;
  } finally {
    await handle.close();
  }
}
