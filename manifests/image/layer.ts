import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { posix } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack, type Header, type Pack } from "tar-stream";

/** One thing in a layer. Paths have no leading slash; folders on the way to a path need not be listed. */
export type LayerEntry = { readonly path: string } & (
  | { readonly kind: "file"; readonly content: Buffer | string; readonly executable?: boolean }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder"; readonly mode: number; readonly owner: number }
);

export interface Layer {
  /** Of the compressed bytes. */
  readonly digest: string;
  readonly size: number;
  /** Of the tar archive. */
  readonly diffId: string;
}

/**
 * Writes `entries` as a gzip-compressed tar archive to `file`. Same entries, same bytes: sorted by path, no times, no
 * names of users.
 */
export async function writeLayer(entries: readonly LayerEntry[], file: string): Promise<Layer> {
  const archive = pack();
  const tar = new Digester();
  const gzip = new Digester();
  // Level 9 takes three times as long for half a percent.
  const written = pipeline(archive, tar, createGzip({ level: 6 }), gzip, createWriteStream(file));
  await Promise.all([written, fill(archive, withFolders(entries))]);
  return { digest: gzip.digest(), size: gzip.size, diffId: tar.digest() };
}

/** Adds the folders on the way, and sorts. */
function withFolders(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const all = new Map<string, LayerEntry>();
  for (const { path } of entries) {
    for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) {
      all.set(folder, { kind: "folder", path: folder, mode: 0o755, owner: 0 });
    }
  }
  for (const entry of entries) all.set(entry.path, entry);
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function fill(archive: Pack, entries: readonly LayerEntry[]): Promise<void> {
  for (const entry of entries) {
    const header = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
    switch (entry.kind) {
      case "folder":
        await add(archive, {
          ...header,
          type: "directory",
          mode: entry.mode,
          uid: entry.owner,
          gid: entry.owner,
        });
        break;
      case "link":
        await add(archive, { ...header, type: "symlink", mode: 0o777, linkname: entry.target });
        break;
      case "file":
        await add(
          archive,
          { ...header, mode: entry.executable === true ? 0o755 : 0o644 },
          Buffer.from(entry.content),
        );
        break;
    }
  }
  archive.finalize();
}

function add(
  archive: Pack,
  header: Partial<Header> & Pick<Header, "name">,
  content = Buffer.alloc(0),
): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(header, content, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Passes bytes through, and counts and hashes them. */
class Digester extends Transform {
  size = 0;
  private readonly hash = createHash("sha256");

  override _transform(chunk: Buffer, _encoding: unknown, done: (error: null, chunk: Buffer) => void): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return `sha256:${this.hash.digest("hex")}`;
  }
}
