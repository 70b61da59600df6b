import { stat } from "node:fs/promises";
import type { MetadataDatabase } from "../metadata-database.ts";
import { markRestored } from "./restored.ts";

/** Which directory it is, whatever its name; `undefined` where the file system does not know when it made it. */
export type PlaceOf = (directory: string) => Promise<string | undefined>;

export const placeOf: PlaceOf = async (directory) => {
  const { ino, birthtimeNs, ctimeNs } = await stat(directory, { bigint: true });
  // Where there is no such time the system gives another, which moves.
  return birthtimeNs <= 0n || birthtimeNs === ctimeNs ? undefined : `${ino} ${birthtimeNs}`;
};

/**
 * Files that were copied to where they are now (out of a backup, or to another disk) hold an outbox that somebody else may
 * have gone on with since: what waits in it is marked so. A disk that was put back as a whole looks as ever: that is for
 * the cluster to remember.
 *
 * @param place where the data lies, as `placeOf` tells
 * @returns whether the data is a copy
 */
export async function notePlace(database: MetadataDatabase, place: string): Promise<boolean> {
  const known = database.statements.row("SELECT place FROM outbox_course")?.place ?? undefined;
  if (known === place) return false;
  const copied = known !== undefined;
  await database.change(() => {
    if (copied) markRestored(database.statements);
    database.statements.run("UPDATE outbox_course SET place = ?", place);
  });
  return copied;
}
