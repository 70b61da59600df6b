import type { Clock } from "../../../common/clock.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { Statements } from "../tables/statements.ts";
import { conflictOf, type Conflict } from "./entry.ts";

/** More conflicts than anybody reads, and how long they are news. */
const keptConflicts = 100;
const conflictAgeMs = 7 * 86_400_000;

/** Tags that were changed here and at the parent, too: what is told of them. */
export class OutboxConflicts {
  private readonly statements: Statements;
  private readonly clock: Clock;

  constructor(statements: Statements, clock: Clock) {
    this.statements = statements;
    this.clock = clock;
  }

  /** How many are news. */
  get count(): number {
    const sql = "SELECT count(*) AS count FROM outbox_conflicts WHERE found_at > ?";
    return Number(this.statements.row(sql, this.since)?.count);
  }

  /** Those of a week, the newest first. */
  recent(limit: number): readonly Conflict[] {
    return this.statements
      .rows(
        "SELECT * FROM outbox_conflicts WHERE found_at > ? ORDER BY found_at DESC, repository, tag LIMIT ?",
        this.since,
        limit,
      )
      .map(conflictOf);
  }

  /** For the transaction that settles the change. */
  keep({ repository, tag, ours, theirs, settled, sentAs }: Omit<Conflict, "foundAt">): void {
    this.forget(repository, tag);
    this.statements.run(
      "INSERT INTO outbox_conflicts (repository, tag, ours, theirs, settled, sent_as, found_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      repository,
      tag,
      ours,
      theirs,
      settled,
      sentAs,
      this.clock.now().toMillis(),
    );
    this.statements.run(
      `DELETE FROM outbox_conflicts WHERE (repository, tag) IN
       (SELECT repository, tag FROM outbox_conflicts ORDER BY found_at DESC, repository, tag LIMIT -1 OFFSET ${keptConflicts})`,
    );
  }

  /** Likewise: the tag has met with no other since. */
  forget(repository: RepositoryName, tag: Tag): void {
    this.statements.run("DELETE FROM outbox_conflicts WHERE repository = ? AND tag = ?", repository, tag);
  }

  private get since(): number {
    return this.clock.millis() - conflictAgeMs;
  }
}
