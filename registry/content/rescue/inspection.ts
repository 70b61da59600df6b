import { DatabaseSync } from "node:sqlite";
import { hasCode, messageOf } from "../../../common/errors.ts";
import { schemaVersion } from "../database.ts";
import type { FileSystem } from "../files.ts";
import { evidenceOf } from "./damage.ts";

/** What a look at the database file says before it is used. `empty` is a new one, or one that lost all it had. */
export type Inspection =
  | { readonly kind: "empty" }
  | { readonly kind: "usable"; readonly version: number }
  | { readonly kind: "damaged"; readonly reason: string };

/**
 * Looks at the file, and at both ends of each table: as cheap however much there is, so it finds a file that is cut, torn or
 * overwritten where everything begins, and not each bad page. Afterwards all is in the file, and none of it in a log.
 *
 * @throws what says nothing about damage, such as missing permissions
 */
export async function inspectDatabase(path: string, files: FileSystem): Promise<Inspection> {
  let size;
  try {
    ({ size } = await files.stat(path));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { kind: "empty" };
    throw error;
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 5_000 });
    // Nobody else uses it, and not every file system could share the index of its log.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const version = schemaVersion(database);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    ({ size } = await files.stat(path));
    if (version === 0) return { kind: "empty" };
    const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
    const pageSize = Number(database.prepare("PRAGMA page_size").get()?.page_size);
    if (pages * pageSize > size) return { kind: "damaged", reason: "its end is missing" };
    lookAtTables(database);
    return { kind: "usable", version };
  } catch (error) {
    if (evidenceOf(error) === "none") throw error;
    return { kind: "damaged", reason: messageOf(error) };
  } finally {
    database?.close();
  }
}

function lookAtTables(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'").all();
  const keyOf = database.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
  for (const { name, wr } of tables) {
    // In the order in which the table itself lies: an index that has all columns would do for any other.
    const order = wr === 1 ? keyOf.all(String(name)).map((column) => String(column.name)) : ["rowid"];
    for (const way of ["ASC", "DESC"]) {
      const columns = order.map((column) => `${column} ${way}`).join(", ");
      database.prepare(`SELECT * FROM "${String(name)}" ORDER BY ${columns} LIMIT 1`).get();
    }
  }
}
