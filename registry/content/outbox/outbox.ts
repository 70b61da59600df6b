import type { Clock } from "../../../common/clock.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { entryOf, tagOf, type Conflict, type OutboxEntry } from "./entry.ts";
import { OutboxConflicts } from "./conflicts.ts";
import { OutboxCourse } from "./course.ts";
import { OutboxTable } from "./outbox-table.ts";
import { OutboxUploads } from "./uploads.ts";

export interface OutboxSummary {
  /** Set aside or not. */
  readonly entries: number;
  readonly bytes: number;
  /** When the oldest that is not set aside came, in milliseconds since 1970. */
  readonly oldest: number | undefined;
  readonly setAside: number;
  readonly conflicts: number;
}

/** What the parent has under a tag. */
export interface ParentTag {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly digest: Digest;
}

/**
 * What clients changed here and the parent is to have, too: written in the transaction of each change, in order, and kept
 * until the parent has it, however long that takes.
 *
 * # Guarantees
 * - There is one entry at most of each tag, and of each manifest that was pushed or deleted by its digest: the newest.
 * - What an entry puts is not collected, and a sync leaves its tag alone.
 */
export class Outbox {
  /** For the transactions of others. */
  readonly table: OutboxTable;
  /** By which an older state of it is known from a newer one. */
  readonly course: OutboxCourse;
  readonly uploads: OutboxUploads;
  readonly conflicts: OutboxConflicts;
  private readonly database: MetadataDatabase;
  private readonly listeners = new Set<() => void>();

  /** @param records whether changes of clients are to go up, asked at each */
  constructor(database: MetadataDatabase, clock: Clock, records: () => boolean) {
    this.database = database;
    this.course = new OutboxCourse(database);
    this.uploads = new OutboxUploads(database);
    this.conflicts = new OutboxConflicts(database.statements, clock);
    this.table = new OutboxTable(database.statements, clock, records, () => {
      for (const listener of this.listeners) listener();
    });
  }

  /** Calls `listener` when a client has changed something, until the function that it returns is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The first entry after `after` that is not set aside. What it says survives power loss. */
  async next(after: number): Promise<OutboxEntry | undefined> {
    const row = this.database.statements.row(
      "SELECT * FROM outbox WHERE id > ? AND refusal IS NULL ORDER BY id LIMIT 1",
      after,
    );
    if (row === undefined) return undefined;
    await this.database.durable();
    return entryOf(row);
  }

  /** What `entry` puts may be at the parent from now on, whatever is heard of it. False if the entry is gone. */
  begin({ id, digest }: OutboxEntry): Promise<boolean> {
    return this.database.change(
      () =>
        this.database.statements.run(
          `UPDATE outbox SET tried = json_insert(tried, '$[#]', ?) WHERE id = ?
           AND NOT EXISTS (SELECT 1 FROM json_each(outbox.tried) WHERE value = ?)`,
          digest,
          id,
          digest,
        ) > 0 || this.database.statements.row("SELECT 1 FROM outbox WHERE id = ?", id) !== undefined,
    );
  }

  /**
   * Is done with `entry`: the parent has `parent` under its tag. A newer change of the same tag goes on from there, unless
   * this one had to give way: then that one meets the same.
   */
  settle(
    entry: OutboxEntry,
    parent: Digest | undefined,
    conflict?: Omit<Conflict, "foundAt">,
  ): Promise<void> {
    return this.database.change(() => {
      const tag = tagOf(entry);
      this.table.remove(entry.id);
      this.course.settled();
      if (tag === undefined) return;
      const { repository } = entry;
      const pushed = entry.action === "put" && parent === entry.digest;
      this.table.noteParent(repository, tag, parent, pushed);
      if (conflict === undefined || conflict.settled === "localWins") {
        this.database.statements.run(
          "UPDATE outbox SET base = ?, tried = '[]' WHERE repository = ? AND reference = ?",
          parent,
          repository,
          tag,
        );
      }
      if (conflict === undefined) this.conflicts.forget(repository, tag);
      else this.conflicts.keep(conflict);
    });
  }

  /** A try to send `entry` has failed, with what `error` says. @param failures how many have, one after the other */
  async failed({ id }: OutboxEntry, failures: number, error: string): Promise<void> {
    await this.database.change(() => {
      this.database.statements.run(
        "UPDATE outbox SET failures = ?, error = ? WHERE id = ?",
        failures,
        error,
        id,
      );
    });
  }

  async setAside({ id }: OutboxEntry, refusal: string): Promise<void> {
    await this.database.change(() => {
      this.database.statements.run("UPDATE outbox SET refusal = ? WHERE id = ?", refusal, id);
    });
  }

  /** Has everything tried again that was set aside, and what failed as if it never had. How many were set aside. */
  async retryAll(): Promise<number> {
    const { entries, setAside } = this.summary();
    const sql = "UPDATE outbox SET refusal = NULL, failures = 0 WHERE refusal IS NOT NULL OR failures > 0";
    if (entries > 0) await this.database.change(() => this.database.statements.run(sql));
    return setAside;
  }

  /** Whether a sync has to leave `tag`, under which the parent has `digest`, as it is here. */
  holds(repository: RepositoryName, tag: Tag, digest: Digest): boolean {
    return this.table.holds(repository, tag, digest);
  }

  /** The parent has these tags; of those that wait to go up nothing is noted. Writes what is new, and nothing else. */
  async noteParent(tags: readonly ParentTag[]): Promise<void> {
    const news = tags.filter(
      ({ repository, tag, digest }) => this.table.parentTag(repository, tag) !== digest,
    );
    if (news.length === 0) return;
    await this.database.change(() => {
      for (const { repository, tag, digest } of news) {
        if (!this.table.holds(repository, tag, digest)) this.table.noteParent(repository, tag, digest);
      }
    });
  }

  /** Whether the parent is known to have anything in `repository`. */
  knownAtParent(repository: RepositoryName): boolean {
    const sql = "SELECT 1 FROM outbox_parent_tags WHERE repository = ? LIMIT 1";
    return this.database.statements.row(sql, repository) !== undefined;
  }

  /** From now on the parent is the one at `place`. What is known of another one says nothing about this one. */
  async attach(place: string): Promise<void> {
    const { statements } = this.database;
    const known = statements.row("SELECT place FROM outbox_parent")?.place;
    if (known === place) return;
    await this.database.change(() => {
      if (known !== undefined) {
        statements.run("DELETE FROM outbox_parent_tags");
        // How long a tag has been missing at one parent is no reason to remove it when another has it no more.
        statements.run("DELETE FROM missing_tags");
        statements.run("DELETE FROM outbox_uploads");
        statements.run("UPDATE outbox SET base = NULL, tried = '[]'");
      }
      statements.run(
        "INSERT INTO outbox_parent (one, place) VALUES (1, ?) ON CONFLICT DO UPDATE SET place = excluded.place",
        place,
      );
    });
  }

  summary(): OutboxSummary {
    const row = this.database.statements.row(
      `SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes,
         min(queued_at) FILTER (WHERE refusal IS NULL) AS oldest, count(refusal) AS refused FROM outbox`,
    );
    const oldest = row?.oldest ?? undefined;
    return {
      entries: Number(row?.entries),
      bytes: Number(row?.bytes),
      oldest: oldest === undefined ? undefined : Number(oldest),
      setAside: Number(row?.refused),
      conflicts: this.conflicts.count,
    };
  }

  /** In order, whether set aside or not. */
  entries(limit: number, offset: number): readonly OutboxEntry[] {
    const sql = "SELECT * FROM outbox ORDER BY id LIMIT ? OFFSET ?";
    return this.database.statements.rows(sql, limit, offset).map(entryOf);
  }

  /** The first of those that are set aside. */
  refused(limit: number): readonly OutboxEntry[] {
    const sql = "SELECT * FROM outbox WHERE refusal IS NOT NULL ORDER BY id LIMIT ?";
    return this.database.statements.rows(sql, limit).map(entryOf);
  }
}
