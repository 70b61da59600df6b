import type { MetadataDatabase } from "../metadata-database.ts";

/**
 * For a database that was restored: what waits in it may have gone up after the backup was taken, and been replaced at the
 * parent since. It goes up where nothing else is, and gives way otherwise.
 */
export async function markRestored(database: MetadataDatabase): Promise<void> {
  await database.change(() => {
    database.statements.run("UPDATE outbox SET restored = 1");
    database.statements.run("DELETE FROM outbox_uploads");
  });
}
