import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { FileSystem } from "../files.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { copyDurably, withFile } from "./copy-file.ts";
import type { LossList } from "./losses.ts";

const names = `
  SELECT r.name AS repository, t.name AS tag, t.manifest FROM tags t JOIN repositories r ON r.id = t.repository`;
const digestOf =
  "SELECT c.digest FROM manifests m JOIN manifest_contents c ON c.id = m.content WHERE m.id = ?";
const digestHere = `
  SELECT c.digest FROM tags t JOIN repositories r ON r.id = t.repository JOIN manifests m ON m.id = t.manifest
  JOIN manifest_contents c ON c.id = m.content WHERE r.name = ? AND t.name = ?`;

/**
 * Adds to `lost` the tags that can still be read in the damaged database file `path` and that `database` does not have, or
 * has for another image: what changed since the backup was taken. As many as can be read: none is an answer, too.
 *
 * @param backup the file of that backup, whose beginning takes the place of one that cannot be read; absent: there is none
 */
export async function findLostTags(
  path: string,
  backup: string | undefined,
  database: MetadataDatabase,
  files: FileSystem,
  lost: LossList,
): Promise<void> {
  if (readNames(path, database, lost) || backup === undefined) return;
  const mended = `${path}.mended`;
  try {
    await mend(path, backup, mended, files);
    readNames(mended, database, lost);
  } catch {
    // No room for it, or the disk cannot read it: then there are no names.
  } finally {
    await files.remove(mended).catch(() => undefined);
  }
}

/** @returns whether it is a database at all */
function readNames(path: string, database: MetadataDatabase, lost: LossList): boolean {
  let damaged: DatabaseSync | undefined;
  try {
    damaged = new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true });
    damaged.prepare(`${names} LIMIT 0`).all();
    // From both ends: each reading ends where the damage begins.
    for (const way of ["ASC", "DESC"]) readFrom(damaged, way, database, lost);
    return true;
  } catch {
    return false;
  } finally {
    damaged?.close();
  }
}

function readFrom(damaged: DatabaseSync, way: string, database: MetadataDatabase, lost: LossList): void {
  try {
    const rows = damaged.prepare(`${names} ORDER BY t.repository ${way}, t.name ${way}`).iterate();
    for (const { repository = null, tag = null, manifest = null } of rows) {
      const here = database.statements.row(digestHere, repository, tag)?.digest;
      const there = readDigest(damaged, manifest);
      if (here === undefined || (there !== undefined && there !== here)) {
        lost.tag(String(repository), String(tag));
      }
    }
  } catch {
    // It is damaged: from here on it says nothing.
  }
}

/** `undefined` if that cannot be read. */
function readDigest(damaged: DatabaseSync, manifest: SQLOutputValue): SQLOutputValue | undefined {
  try {
    return damaged.prepare(digestOf).get(manifest)?.digest;
  } catch {
    return undefined;
  }
}

const headerBytes = 100;
/** Where the header of a database says how large its pages are, its changes, its pages, and when it counted these. */
const header = { pageSize: 16, changes: 24, pages: 28, countedAt: 92 } as const;

/** Makes `to` a copy of `path` with the first page of `backup`: what it says of the schema is the same in both. */
async function mend(path: string, backup: string, to: string, files: FileSystem): Promise<void> {
  await withFile(files, path, (file) => copyDurably(files, file, to));
  const { size } = await files.stat(to);
  const head = Buffer.alloc(headerBytes);
  await withFile(files, backup, async (from) => {
    await from.read(head, 0, headerBytes, 0);
    const pageSize = head.readUInt16BE(header.pageSize);
    const page = Buffer.alloc(pageSize);
    await from.read(page, 0, pageSize, 0);
    page.writeUInt32BE(Math.floor(size / pageSize), header.pages);
    page.copy(page, header.countedAt, header.changes, header.changes + 4);
    const target = await files.open(to, "r+");
    try {
      await target.write(page, 0, pageSize, 0);
    } finally {
      await target.close();
    }
  });
}
