import type { Statements } from "../tables/statements.ts";

/**
 * For a database that was restored: what waits in it, up to the entry `lastId`, may have gone up after the backup was taken,
 * and been replaced at the parent since. It goes up where nothing else is, and gives way otherwise. Opens no transaction.
 */
export function markRestored(statements: Statements, lastId = Number.MAX_SAFE_INTEGER): void {
  statements.run("UPDATE outbox SET restored = 1 WHERE id <= ?", lastId);
  statements.run("DELETE FROM outbox_uploads");
}
