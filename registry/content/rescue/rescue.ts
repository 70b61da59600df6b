import { basename, dirname, join, relative } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import { hasCode, messageOf } from "../../../common/errors.ts";
import type { Blobs } from "../blobs.ts";
import { ensureDirectory, syncDirectory, type FileSystem } from "../files.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { markRestored } from "../outbox/restored.ts";
import { isStorageFull } from "../quota.ts";
import type { Backup, Backups } from "./backups.ts";
import { withFile } from "./copy-file.ts";
import { DatabaseDamagedError } from "./damage.ts";
import { inspectDatabase } from "./inspection.ts";
import { LossList } from "./losses.ts";
import { findLostTags } from "./names.ts";
import { reconcile } from "./reconcile.ts";
import { damagedRecord, readRecord, writeRecord, type RescueRecord } from "./record.ts";

export interface DatabasePlace {
  /** Of all data; the database is `registry.db` in it. */
  readonly directory: string;
  readonly files: FileSystem;
  readonly backups: Backups;
  readonly clock: Clock;
  /** The schema that the database is going to have. */
  readonly schema: number;
}

/** How many damaged databases are kept. */
const keptDamaged = 2;
const companions = ["-wal", "-shm"];

/**
 * Makes sure that there is a database that can be opened: one that is damaged, or gone while there is other content, is set
 * aside and replaced by its newest sound backup, or by nothing. Before its schema is upgraded it is copied.
 *
 * @returns what `finishRescue` is to finish once the database is open; `undefined` if all is well
 */
export async function prepareDatabase(place: DatabasePlace): Promise<RescueRecord | undefined> {
  const record = await readRecord(place.directory);
  if (record?.stage === "restored" && (await isAsRestored(place, record))) return record;
  if (record?.stage === "damaged") return await replace(place, record);
  const reason = await findDamage(place);
  if (reason === undefined) return undefined;
  const found = damagedRecord(place.clock.now().toISO(), reason);
  return await replace(place, await writeRecord(place.directory, found));
}

/** Makes the restored database agree with the files, and writes down what is lost. */
export async function finishRescue(
  record: RescueRecord,
  directory: string,
  database: MetadataDatabase,
  blobs: Pick<Blobs, "size">,
  files: FileSystem,
): Promise<RescueRecord> {
  const lost = new LossList();
  await reconcile(database, blobs, lost);
  await database.change(() => {
    markRestored(database.statements);
  });
  const backup = record.backup === undefined ? undefined : join(directory, record.backup.file);
  await findLostTags(join(directory, record.setAside), backup, database, files, lost);
  return await writeRecord(directory, { ...record, stage: "done", losses: lost.losses });
}

/** Whether nothing happened to a restored database since: a disk that spoils one may spoil the next. */
async function isAsRestored({ directory, files }: DatabasePlace, { backup }: RescueRecord): Promise<boolean> {
  const { kind } = await inspectDatabase(join(directory, "registry.db"), files);
  return kind === "usable" || (kind === "empty" && backup === undefined);
}

async function findDamage(place: DatabasePlace): Promise<string | undefined> {
  const { directory, files, backups, schema } = place;
  const path = join(directory, "registry.db");
  const found = await inspectDatabase(path, files);
  if (found.kind === "damaged") return found.reason;
  if (found.kind === "empty") {
    const hadContent = (await backups.list()).length > 0 || (await hasBlobs(directory, files));
    return hadContent ? "it is empty, and there is content" : undefined;
  }
  if (found.version >= schema) return undefined;
  try {
    await backups.takeBeforeUpgrade({ still: (work) => withFile(files, path, work) }, schema);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseDamagedError) return messageOf(error);
    throw error;
  }
}

async function replace(place: DatabasePlace, record: RescueRecord): Promise<RescueRecord> {
  const { directory, backups } = place;
  await setAside(place, record);
  const backup = await restore(backups, join(directory, "registry.db"));
  return await writeRecord(directory, {
    ...record,
    stage: "restored",
    ...(backup === undefined
      ? {}
      : { backup: { file: relative(directory, backup.path), takenAt: backup.takenAt.toISO() } }),
  });
}

async function restore(backups: Backups, path: string): Promise<Backup | undefined> {
  try {
    return await backups.restore(path);
  } catch (cause) {
    if (!isStorageFull(cause)) throw cause;
    const text =
      "the database is damaged, and the volume has no room for its backup: make some, then start again";
    throw new Error(text, { cause });
  }
}

/** May be done again after a crash in the middle of it. */
async function setAside({ directory, files }: DatabasePlace, record: RescueRecord): Promise<void> {
  const path = join(directory, "registry.db");
  const target = join(directory, record.setAside);
  await ensureDirectory(files, dirname(target));
  const done = (await files.list(dirname(target))).includes(basename(target));
  // The log goes first: beside another database it would be taken for that one's.
  for (const each of [...companions, ""]) {
    if (done) await files.remove(`${path}${each}`);
    else await moveIfThere(files, `${path}${each}`, `${target}${each}`);
  }
  await syncDirectory(files, dirname(target));
  await syncDirectory(files, directory);
  await forgetOldest(dirname(target), basename(target), files);
}

/** By their names, which say when they were damaged; but not `newest`, also if the clock was wrong (T58). */
async function forgetOldest(directory: string, newest: string, files: FileSystem): Promise<void> {
  const names = [...(await files.list(directory))].sort();
  const others = names.filter((name) => name.endsWith(".db") && name !== newest);
  const kept = [newest, ...others.slice(1 - keptDamaged)];
  for (const name of names) {
    if (!kept.some((each) => name.startsWith(each))) await files.remove(join(directory, name));
  }
}

async function moveIfThere(files: FileSystem, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

async function hasBlobs(directory: string, files: FileSystem): Promise<boolean> {
  for (const algorithm of ["sha256", "sha512"]) {
    const folder = join(directory, "blobs", algorithm);
    for (const name of await files.list(folder)) {
      if ((await listFolder(join(folder, name), files)).length > 0) return true;
    }
  }
  return false;
}

/** Whatever else somebody put beside folders is not ours. */
async function listFolder(path: string, files: FileSystem): Promise<readonly string[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}
