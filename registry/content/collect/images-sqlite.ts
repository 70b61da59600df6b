import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import type { Pins } from "../holds.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { Statements } from "../tables/statements.ts";
import { isEmpty, isIdle, keep } from "./garbage-conditions.ts";
import type {
  GarbageRepository,
  GarbageTag,
  IdleManifest,
  IdlePage,
  ImageGarbage,
  Removed,
} from "./garbage.ts";
import { GarbageTagTable } from "./garbage-tags.ts";

const pageSize = 100;
/** Images in the database of all metadata. */
export class SqliteImageGarbage implements ImageGarbage {
  private readonly database: MetadataDatabase;
  private readonly statements: Statements;
  private readonly tagRows: GarbageTagTable;

  constructor(database: MetadataDatabase) {
    this.database = database;
    this.statements = database.statements;
    this.tagRows = new GarbageTagTable(database.statements);
  }

  repositories(after: number): readonly GarbageRepository[] {
    const rows = this.statements.rows(
      "SELECT id, name, locks FROM repositories WHERE id > ? ORDER BY id LIMIT ?",
      after,
      pageSize,
    );
    return rows.map(({ id, name, locks }) => ({
      id: Number(id),
      name: name as RepositoryName,
      locked: (Number(locks) & keep) !== 0,
    }));
  }

  async removeRepository(repository: number): Promise<boolean> {
    // Most have something in them, and a change costs more than a look.
    if (
      this.statements.row(`SELECT 1 FROM repositories WHERE id = ? AND ${isEmpty}`, repository) === undefined
    )
      return false;
    return await this.database.change(
      () => this.statements.run(`DELETE FROM repositories WHERE id = ? AND ${isEmpty}`, repository) > 0,
    );
  }

  tags(repository: number, after: string): readonly GarbageTag[] {
    return this.tagRows.page(repository, after);
  }

  removeTags(repository: number, tags: readonly GarbageTag[]): Promise<readonly GarbageTag[]> {
    return this.database.change(() => tags.filter((tag) => this.removeTag(repository, tag)));
  }

  async noteIdle(repository: number, after: number, now: number): Promise<IdlePage> {
    const { rows, idle, noLonger } = this.look(repository, after, "TRUE");
    const newly = idle.filter((row) => row.idle_since === null);
    if (newly.length + noLonger.length > 0) {
      await this.database.change(() => {
        for (const { id } of newly) this.noteIdleSince(Number(id), now);
        this.forgetIdle(noLonger);
      });
    }
    const found = idle.map(idleManifestOf).map((each) => ({ ...each, idleSince: each.idleSince ?? now }));
    return { idle: found, last: lastOf(rows) };
  }

  anyCondemned(repository: number): boolean {
    const sql = "SELECT 1 FROM manifests WHERE repository = ? AND idle_since = 0 LIMIT 1";
    return this.statements.row(sql, repository) !== undefined;
  }

  async condemned(repository: number, after: number): Promise<IdlePage> {
    const { rows, idle, noLonger } = this.look(repository, after, "m.idle_since = 0");
    if (noLonger.length > 0) {
      await this.database.change(() => {
        this.forgetIdle(noLonger);
      });
    }
    return { idle: idle.map(idleManifestOf), last: lastOf(rows) };
  }

  removeManifests(
    repository: number,
    manifests: readonly IdleManifest[],
    pins: Pins,
  ): Promise<readonly Removed<IdleManifest>[]> {
    return this.database.change(() =>
      manifests.flatMap((item) => {
        const bytes = pins.pinned(item.digest) ? undefined : this.removeManifest(repository, item);
        return bytes === undefined ? [] : [{ item, bytes }];
      }),
    );
  }

  /** A page of the manifests for which `which` is true: those that may go, and those that are noted by mistake. */
  private look(
    repository: number,
    after: number,
    which: string,
  ): { rows: readonly Row[]; idle: readonly Row[]; noLonger: readonly Row[] } {
    const rows = this.statements.rows(
      `SELECT m.id, m.content, m.pushed_at, m.pulled_at, m.idle_since, m.locks, c.digest, ${isIdle} AS idle
       FROM manifests m JOIN manifest_contents c ON c.id = m.content
       WHERE m.repository = ? AND ${which} AND m.content > ? ORDER BY m.content LIMIT ?`,
      repository,
      after,
      pageSize,
    );
    return {
      rows,
      idle: rows.filter((row) => row.idle === 1 && (Number(row.locks) & keep) === 0),
      noLonger: rows.filter((row) => row.idle === 0 && row.idle_since !== null),
    };
  }

  private forgetIdle(rows: readonly Row[]): void {
    for (const { id } of rows) this.statements.run("UPDATE manifests SET idle_since = NULL WHERE id = ?", id);
  }

  private removeTag(repository: number, tag: GarbageTag): boolean {
    const removed = this.tagRows.remove(repository, tag);
    if (removed) this.condemn("m.id = ? AND m.repository = ?", tag.manifest, repository);
    return removed;
  }

  /** The bytes that this freed; `undefined` if something has come to keep it. */
  private removeManifest(
    repository: number,
    { id, digest, idleSince, pulledAt }: IdleManifest,
  ): number | undefined {
    const row = this.statements.row(
      `SELECT m.content FROM manifests m JOIN manifest_contents c ON c.id = m.content
       WHERE m.id = ? AND m.repository = ? AND c.digest = ? AND m.idle_since IS ? AND coalesce(m.pulled_at, 0) = ?
       AND m.locks & ${keep} = 0 AND ${isIdle}`,
      id,
      repository,
      digest,
      idleSince,
      pulledAt,
    );
    if (row === undefined) return undefined;
    this.condemn(
      `m.repository = ? AND m.content IN (SELECT kc.id FROM manifest_children k
         JOIN manifest_contents kc ON kc.digest = k.digest WHERE k.manifest = ?)`,
      repository,
      id,
    );
    this.condemn("m.repository = ? AND m.subject = ?", repository, digest);
    for (const tag of this.tagRows.about(repository, digest)) this.removeTag(repository, tag);
    this.statements.run("DELETE FROM manifests WHERE id = ?", id);
    const freed = this.statements.row(
      `DELETE FROM manifest_contents WHERE id = ?
       AND NOT EXISTS (SELECT 1 FROM manifests WHERE content = manifest_contents.id) RETURNING size`,
      row.content,
    );
    return Number(freed?.size ?? 0);
  }

  /** Lets those that `which` names in `m` go next, unless a tag keeps them. */
  private condemn(which: string, ...values: (string | number)[]): void {
    this.statements.run(
      `UPDATE manifests AS m SET idle_since = 0 WHERE ${which}
       AND NOT EXISTS (SELECT 1 FROM tags WHERE manifest = m.id)`,
      ...values,
    );
  }

  private noteIdleSince(id: number, now: number): void {
    this.statements.run(
      `UPDATE manifests SET idle_since = ? WHERE id = ? AND idle_since IS NULL AND EXISTS (SELECT 1 FROM manifests m
         JOIN manifest_contents c ON c.id = m.content WHERE m.id = ? AND ${isIdle})`,
      now,
      id,
      id,
    );
  }
}

function idleManifestOf(row: Row): IdleManifest {
  return {
    id: Number(row.id),
    digest: row.digest as Digest,
    pushedAt: Number(row.pushed_at),
    pulledAt: Number(row.pulled_at ?? 0),
    idleSince: row.idle_since === null ? undefined : Number(row.idle_since),
  };
}

function lastOf(rows: readonly Row[]): number | undefined {
  const content = rows.at(-1)?.content;
  return content === undefined ? undefined : Number(content);
}
