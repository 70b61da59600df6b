import { isDigest, type Digest } from "../../../common/oci/digest.ts";
import type { Clock } from "../../../common/clock.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { Statements } from "../tables/statements.ts";
import { entryOf, type OutboxEntry } from "./entry.ts";

type Change = Pick<OutboxEntry, "repository" | "reference" | "action" | "digest">;

/**
 * Notes what clients change, in the transaction that changes it; and what the parent has, where nothing waits to go there.
 * Opens no transaction: whoever changes something does.
 */
export class OutboxTable {
  private readonly statements: Statements;
  private readonly clock: Clock;
  private readonly records: () => boolean;
  private readonly recorded: () => void;

  /**
   * @param records whether changes are to go up, asked at each
   * @param recorded told of each that is noted
   */
  constructor(statements: Statements, clock: Clock, records: () => boolean, recorded: () => void) {
    this.statements = statements;
    this.clock = clock;
    this.records = records;
    this.recorded = recorded;
  }

  /** A client has pushed `digest`, under `tags` or by its digest alone. */
  put(repository: RepositoryName, digest: Digest, tags: readonly Tag[]): void {
    if (!this.records()) return;
    for (const reference of tags.length === 0 ? [digest] : tags) {
      this.replace({ repository, reference, action: "put", digest });
    }
  }

  /** A client has deleted `tag`, which pointed at `digest`. */
  untag(repository: RepositoryName, tag: Tag, digest: Digest): void {
    if (!this.records()) return;
    const before = this.find(repository, tag);
    // It has never left: the parent need not hear of it.
    if (before?.action === "put" && isUnheard(before)) this.remove(before.id);
    else this.replace({ repository, reference: tag, action: "delete", digest });
  }

  /** A client deletes the manifest `digest`, which is still here, with its tags. */
  deleteManifest(repository: RepositoryName, digest: Digest): void {
    if (!this.records()) return;
    const puts = this.statements
      .rows("SELECT * FROM outbox WHERE digest = ? AND repository = ? AND action = 'put'", digest, repository)
      .map(entryOf);
    for (const { id } of puts) this.remove(id);
    const unheard = puts.length > 0 && puts.every(({ tried }) => tried.length === 0);
    if (!unheard || this.parentHas(repository, digest)) {
      this.replace({ repository, reference: digest, action: "delete", digest });
    }
  }

  /** Whether a change of `tag` waits to go up, or the deletion of `digest`, which the parent has under it. */
  holds(repository: RepositoryName, tag: Tag | Digest, digest: Digest): boolean {
    const row = this.statements.row(
      `SELECT 1 FROM outbox WHERE repository = ? AND (reference = ? OR (reference = ? AND action = 'delete'))`,
      repository,
      tag,
      digest,
    );
    return row !== undefined;
  }

  /** What the parent had under `tag` when that was last known. */
  parentTag(repository: RepositoryName, tag: Tag): Digest | undefined {
    return this.statements.row(
      "SELECT digest FROM outbox_parent_tags WHERE repository = ? AND tag = ?",
      repository,
      tag,
    )?.digest as Digest | undefined;
  }

  /**
   * The parent has `digest` under `tag`; `undefined`: it has no such tag.
   *
   * @param pushed whether it got that from here; where nothing has changed, what was said of that before holds
   */
  noteParent(repository: RepositoryName, tag: Tag, digest: Digest | undefined, pushed = false): void {
    if (digest === undefined) {
      this.statements.run("DELETE FROM outbox_parent_tags WHERE repository = ? AND tag = ?", repository, tag);
      return;
    }
    this.statements.run(
      `INSERT INTO outbox_parent_tags (repository, tag, digest, pushed) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed = excluded.pushed
       WHERE digest <> excluded.digest OR excluded.pushed = 1`,
      repository,
      tag,
      digest,
      Number(pushed),
    );
  }

  find(repository: RepositoryName, reference: Tag | Digest): OutboxEntry | undefined {
    const row = this.statements.row(
      "SELECT * FROM outbox WHERE repository = ? AND reference = ?",
      repository,
      reference,
    );
    return row === undefined ? undefined : entryOf(row);
  }

  remove(id: number): boolean {
    return this.statements.run("DELETE FROM outbox WHERE id = ?", id) > 0;
  }

  /** The newest change of a tag or manifest is all that has to go up; what is known of the parent stays known. */
  private replace(change: Change): void {
    const { repository, reference, action, digest } = change;
    const before = this.find(repository, reference);
    const known = before === undefined ? this.parentOf(repository, reference) : before.base;
    if (before === undefined && action === "put" && known === digest) return;
    if (before !== undefined) this.remove(before.id);
    this.statements.run(
      `INSERT INTO outbox (repository, reference, action, digest, bytes, subject, base, tried, queued_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      repository,
      reference,
      action,
      digest,
      action === "put" ? this.size(repository, digest) : 0,
      action === "delete" && isDigest(reference) ? this.subjectOf(repository, digest) : null,
      known,
      JSON.stringify(before?.tried ?? []),
      this.clock.now().toMillis(),
    );
    this.recorded();
  }

  private parentOf(repository: RepositoryName, reference: Tag | Digest): Digest | undefined {
    return isDigest(reference) ? undefined : this.parentTag(repository, reference);
  }

  private parentHas(repository: RepositoryName, digest: Digest): boolean {
    const row = this.statements.row(
      "SELECT 1 FROM outbox_parent_tags WHERE repository = ? AND digest = ? LIMIT 1",
      repository,
      digest,
    );
    return row !== undefined;
  }

  private subjectOf(repository: RepositoryName, digest: Digest): Digest | undefined {
    const row = this.statements.row(
      `SELECT m.subject FROM manifests m JOIN manifest_contents c ON c.id = m.content
       JOIN repositories r ON r.id = m.repository WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
    return (row?.subject ?? undefined) as Digest | undefined;
  }

  private size(repository: RepositoryName, digest: Digest): number {
    const row = this.statements.row(
      `SELECT c.size + coalesce((SELECT sum(b.size) FROM manifest_blobs mb JOIN blobs b ON b.id = mb.blob
         WHERE mb.manifest = m.id), 0) AS bytes
       FROM manifest_contents c JOIN manifests m ON m.content = c.id JOIN repositories r ON r.id = m.repository
       WHERE c.digest = ? AND r.name = ?`,
      digest,
      repository,
    );
    return Number(row?.bytes ?? 0);
  }
}

/** Whether nothing of it, or under its tag, was ever at the parent as far as we know. */
function isUnheard({ base, tried }: OutboxEntry): boolean {
  return base === undefined && tried.length === 0;
}
