import type { Digest } from "../../../common/oci/digest.ts";
import type { Blobs } from "../blobs.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { forgetBlobs } from "./forget.ts";
import type { LossList } from "./losses.ts";

const pageSize = 500;

/**
 * Makes the database say only what the files can keep: blobs whose file is gone or has another size are forgotten, with the
 * manifests that need them and the tags of those. An index that keeps another child stays, and has this one as left out.
 * Files that no row knows stay as well: the next sync that wants them takes them up, or a collection of garbage does away
 * with them.
 *
 * For a database that was restored, before anybody reads it. Doing it again is no harm.
 */
export async function reconcile(
  database: MetadataDatabase,
  blobs: Pick<Blobs, "size">,
  lost: LossList,
): Promise<void> {
  for (let after = 0; ;) {
    const rows = database.statements.rows(
      "SELECT id, digest, size FROM blobs WHERE id > ? ORDER BY id LIMIT ?",
      after,
      pageSize,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = Number(last.id);
    const sizes = await Promise.all(rows.map(({ digest }) => blobs.size(digest as Digest)));
    const gone = rows.filter(({ size }, at) => sizes[at] !== size).map(({ id }) => Number(id));
    if (gone.length > 0) {
      await database.change(() => {
        forgetBlobs(database.statements, gone, lost);
      });
    }
  }
}
