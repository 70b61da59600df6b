import type { Clock } from "../../../common/clock.ts";
import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { keep } from "../collect/garbage-conditions.ts";
import type { Row } from "../database.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { tagWaitsToGoUp } from "../outbox/schema.ts";
import { PruneClock } from "./prune-clock.ts";
import type { BroughtRepository, BroughtTag, MissingTag, PrunedTag, Pruning } from "./pruning.ts";

const pageSize = 500;
/** A transaction of so many rows takes a few milliseconds. */
const batchSize = 50;

/** Whether the tag in `tags` is what the parent had and did not get from here, and nothing keeps it: no lock, and no change that has to go up. */
const mayGo = `tags.locks & ${keep} = 0 AND NOT ${tagWaitsToGoUp}
  AND EXISTS (SELECT 1 FROM manifests m JOIN manifest_contents c ON c.id = m.content
    JOIN repositories r ON r.id = m.repository
    JOIN outbox_parent_tags p ON p.repository = r.name AND p.tag = tags.name AND p.digest = c.digest AND p.pushed = 0
    WHERE m.id = tags.manifest AND (m.locks | r.locks) & ${keep} = 0)`;

/** What pruning knows, in the database of all metadata. */
export class SqlitePruning implements Pruning {
  private readonly database: MetadataDatabase;
  private readonly time: PruneClock;

  constructor(database: MetadataDatabase, clock: Clock) {
    this.database = database;
    this.time = new PruneClock(database, clock);
  }

  watched(): number {
    return this.time.now();
  }

  async keepTime(): Promise<void> {
    const { missing, pruned } = this.count();
    if (missing + pruned === 0 || !this.time.stale) return;
    await this.database.change(() => {
      this.time.keep();
    });
  }

  repositories(): readonly BroughtRepository[] {
    return this.database.statements
      .rows(
        "SELECT id, name FROM repositories WHERE name IN (SELECT repository FROM outbox_parent_tags) ORDER BY name",
      )
      .map(({ id, name }) => ({ id: Number(id), name: name as RepositoryName }));
  }

  tags(repository: number, after: string): readonly BroughtTag[] {
    return this.database.statements
      .rows(
        `SELECT tags.name, tags.manifest, x.since FROM tags
         LEFT JOIN missing_tags x ON x.repository = tags.repository AND x.name = tags.name
         WHERE tags.repository = ? AND tags.name > ? AND ${mayGo} ORDER BY tags.name LIMIT ${pageSize}`,
        repository,
        after,
      )
      .map(broughtTagOf);
  }

  mark(repository: number, tags: readonly BroughtTag[]): Promise<void> {
    return this.inBatches(tags, ({ name, manifest }) => {
      this.database.statements.run(
        `INSERT INTO missing_tags SELECT repository, name, ? FROM tags
         WHERE repository = ? AND name = ? AND manifest = ? ON CONFLICT DO NOTHING`,
        this.time.now(),
        repository,
        name,
        manifest,
      );
    });
  }

  unmark(repository: number, tags: readonly BroughtTag[]): Promise<void> {
    return this.inBatches(tags, ({ name }) => {
      this.database.statements.run(
        "DELETE FROM missing_tags WHERE repository = ? AND name = ?",
        repository,
        name,
      );
    });
  }

  async prune(repository: number, tags: readonly MissingTag[]): Promise<readonly MissingTag[]> {
    const gone: MissingTag[] = [];
    await this.inBatches(tags, (missing) => {
      if (this.pruneOne(repository, missing)) gone.push(missing);
    });
    return gone;
  }

  pruned(limit: number): readonly PrunedTag[] {
    return this.database.statements
      .rows(`${selectPruned} ORDER BY p.since DESC, r.name, p.name LIMIT ?`, limit)
      .map(prunedTagOf);
  }

  count(): { readonly missing: number; readonly pruned: number } {
    const row = this.database.statements.row(
      "SELECT (SELECT count(*) FROM missing_tags) AS missing, (SELECT count(*) FROM pruned_tags) AS pruned",
    );
    return { missing: Number(row?.missing), pruned: Number(row?.pruned) };
  }

  async release(since: number): Promise<number> {
    const { statements } = this.database;
    const old = "SELECT repository, name, manifest FROM pruned_tags WHERE since < ? LIMIT ?";
    if (statements.row(old, since, 1) === undefined) return 0;
    return await this.database.change(() => {
      const rows = statements.rows(old, since, batchSize);
      for (const { repository, name, manifest } of rows) {
        statements.run(
          "DELETE FROM pruned_tags WHERE repository = ? AND name = ? AND manifest = ?",
          ...[repository, name, manifest],
        );
        statements.run(
          `UPDATE manifests SET idle_since = 0 WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM tags WHERE manifest = ?1)
           AND NOT EXISTS (SELECT 1 FROM pruned_tags WHERE manifest = ?1)`,
          manifest,
        );
      }
      this.time.keep();
      return rows.length;
    });
  }

  restore(repository: RepositoryName, tag?: Tag): Promise<readonly PrunedTag[]> {
    const { statements } = this.database;
    return this.database.change(() => {
      const rows = statements.rows(
        `${selectPruned} WHERE r.name = ? AND (p.name = ? OR ?) ORDER BY p.since DESC, p.name`,
        ...[repository, tag, tag === undefined ? 1 : 0],
      );
      return rows.map(prunedTagOf).filter(
        ({ tag: name, digest }) =>
          statements.run(
            `INSERT INTO tags (repository, name, manifest, updated_at)
             SELECT m.repository, ?, m.id, ? FROM manifests m JOIN manifest_contents c ON c.id = m.content
             JOIN repositories r ON r.id = m.repository WHERE r.name = ? AND c.digest = ? ON CONFLICT DO NOTHING`,
            ...[name, this.time.present(), repository, digest],
          ) > 0,
      );
    });
  }

  private pruneOne(repository: number, { tag: { name, manifest }, reason }: MissingTag): boolean {
    const { statements } = this.database;
    const still = `tags.repository = ? AND tags.name = ? AND tags.manifest = ? AND ${mayGo}`;
    if (statements.row(`SELECT 1 FROM tags WHERE ${still}`, repository, name, manifest) === undefined)
      return false;
    statements.run(
      `INSERT INTO pruned_tags (repository, name, manifest, reason, since) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since`,
      ...[repository, name, manifest, reason, this.time.now()],
    );
    // Whoever brings it back by hand wants it: it is the parent's no more.
    statements.run(
      "DELETE FROM outbox_parent_tags WHERE tag = ? AND repository = (SELECT name FROM repositories WHERE id = ?)",
      name,
      repository,
    );
    return statements.run("DELETE FROM tags WHERE repository = ? AND name = ?", repository, name) > 0;
  }

  private async inBatches<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
    for (let first = 0; first < items.length; first += batchSize) {
      await this.database.change(() => {
        items.slice(first, first + batchSize).forEach(work);
        this.time.keep();
      });
    }
  }
}

const selectPruned = `SELECT r.name AS repository, p.name, c.digest, p.reason, p.since FROM pruned_tags p
  JOIN repositories r ON r.id = p.repository JOIN manifests m ON m.id = p.manifest
  JOIN manifest_contents c ON c.id = m.content`;

function broughtTagOf({ name, manifest, since }: Row): BroughtTag {
  return {
    name: name as Tag,
    manifest: Number(manifest),
    ...(since === null ? {} : { missingSince: Number(since) }),
  };
}

function prunedTagOf({ repository, name, digest, reason, since }: Row): PrunedTag {
  return {
    repository: repository as RepositoryName,
    tag: name as Tag,
    digest: digest as Digest,
    reason: String(reason),
    since: Number(since),
  };
}
