import { join } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Blobs } from "../blobs.ts";
import type { FileSystem } from "../files.ts";
import { MetadataDatabase } from "../metadata-database.ts";
import { migrations } from "../schema.ts";
import { Backups } from "./backups.ts";
import type { DatabaseCheck } from "./check-in-child.ts";
import { evidenceOf } from "./damage.ts";
import { damagedRecord, readRecord, writeRecord, type RescueRecord } from "./record.ts";
import { finishRescue, prepareDatabase } from "./rescue.ts";

/** A database on a disk, with what keeps it. */
export interface KeptDatabase {
  /** Where all data lies. */
  readonly directory: string;
  readonly database: MetadataDatabase;
  readonly backups: Backups;
  /** Where nobody else can open the database meanwhile: the name of the file system that is the reason. */
  readonly remote: string | undefined;
  /** The rescue that this opening of the database was, if it was one. */
  readonly rescue: RescueRecord | undefined;
  /** The last there was. */
  readonly lastRescue: RescueRecord | undefined;
}

/**
 * Opens `registry.db` in `directory`; one that is damaged is replaced by its backup first (see `prepareDatabase`), and agrees
 * with `blobs` before anybody reads it.
 *
 * @param remote the name of a file system on which it must be opened by nobody else
 */
export async function openKeptDatabase(
  directory: string,
  blobs: Pick<Blobs, "size">,
  files: FileSystem,
  check: DatabaseCheck,
  clock: Clock,
  remote?: string,
): Promise<KeptDatabase> {
  const backups = new Backups(join(directory, "backups"), files, check, clock);
  const schema = migrations.at(-1)?.version ?? 0;
  const record = await prepareDatabase({ directory, files, backups, clock, schema });
  const path = join(directory, "registry.db");
  // SQLite would let everybody read it, and gives its log the same permissions.
  await (await files.open(path, "a", 0o600)).close();
  const database = await MetadataDatabase.open(path, clock, files, remote !== undefined);
  try {
    const rescue =
      record === undefined ? undefined : await finishRescue(record, directory, database, blobs, files);
    const lastRescue = rescue ?? (await readRecord(directory));
    return { directory, database, backups, remote, rescue, lastRescue };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Closes it. Whoever closes a database that proved to be damaged leaves word: whoever opens it next replaces it. */
export async function closeKeptDatabase({ directory, database }: KeptDatabase, clock: Clock): Promise<void> {
  const { health } = database;
  await database.close();
  if (health.state === "damaged") await leaveWord(directory, health.reason, clock);
}

/** Opens content by `open`; if its database is damaged where no look at the start finds it, that is replaced, and `open` called again. */
export async function openDespiteDamage<T>(
  directory: string,
  open: () => Promise<T>,
  clock: Clock,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (evidenceOf(error) !== "damaged") throw error;
    await leaveWord(directory, messageOf(error), clock);
    return await open();
  }
}

async function leaveWord(directory: string, reason: string, clock: Clock): Promise<void> {
  if ((await readRecord(directory))?.stage === "damaged") return;
  await writeRecord(directory, damagedRecord(clock.now().toISO(), reason));
}
