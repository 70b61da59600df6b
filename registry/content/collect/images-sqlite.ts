import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import type { Pins } from "../holds.ts";
import { lockBits } from "../locks/schema.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { Statements } from "../tables/statements.ts";
import { attachedPrefix } from "./attached.ts";
import type {
  GarbageRepository,
  GarbageTag,
  IdleManifest,
  IdlePage,
  ImageGarbage,
  Removed,
} from "./garbage.ts";

const pageSize = 100;
const keep = lockBits.deleteEnabled | lockBits.writeEnabled;

/** Whether `digest` is a manifest of the repository in column `m.repository`. */
const here = (digest: string): string => `EXISTS (SELECT 1 FROM manifest_contents xc JOIN manifests x
  ON x.content = xc.id AND x.repository = m.repository WHERE xc.digest = ${digest})`;

/** What the tag in `t` is about, by its name alone (see `attachedTo`); null if it is a tag like any other. */
const subjectOfTag = `CASE
  WHEN t.name GLOB 'sha256-*' AND (length(t.name) = 71 OR substr(t.name, 72, 1) = '.')
    THEN 'sha256:' || substr(t.name, 8, 64)
  WHEN t.name GLOB 'sha512-*' AND (length(t.name) = 135 OR substr(t.name, 136, 1) = '.')
    THEN 'sha512:' || substr(t.name, 8, 128) END`;

/** Whether the tag in `t` keeps the manifest in `m` and `c`: not if it is about that itself, or about what is gone. */
const tagKeeps = `(t.locks & ${keep} <> 0 OR ${subjectOfTag} IS NULL
  OR (${subjectOfTag} <> c.digest AND ${here(subjectOfTag)}))`;

/** Whether nothing keeps the manifest in `m` and `c`. */
const isIdle = `NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest = m.id AND ${tagKeeps})
  AND NOT EXISTS (SELECT 1 FROM manifest_children k JOIN manifests p ON p.id = k.manifest
                  WHERE k.digest = c.digest AND p.repository = m.repository)
  AND (m.subject IS NULL OR NOT ${here("m.subject")})`;

const isEmpty = `locks = 0 AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository = repositories.id)
  AND NOT EXISTS (SELECT 1 FROM blob_links WHERE repository = repositories.id)`;

/** Images in the database of all metadata. */
export class SqliteImageGarbage implements ImageGarbage {
  private readonly database: MetadataDatabase;
  private readonly statements: Statements;

  constructor(database: MetadataDatabase) {
    this.database = database;
    this.statements = database.statements;
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
    const rows = this.statements.rows(
      `SELECT t.name, t.manifest, t.updated_at, t.locks, c.digest, m.subject IS NOT NULL AND ${here("m.subject")} AS attached,
         max(coalesce(m.pulled_at, 0), coalesce((SELECT max(x.pulled_at) FROM manifest_children k
           JOIN manifest_contents xc ON xc.digest = k.digest JOIN manifests x ON x.content = xc.id
           WHERE k.manifest = m.id AND x.repository = m.repository), 0)) AS pulled_at
       FROM tags t JOIN manifests m ON m.id = t.manifest JOIN manifest_contents c ON c.id = m.content
       WHERE t.repository = ? AND t.name > ? ORDER BY t.name LIMIT ?`,
      repository,
      after,
      pageSize,
    );
    return rows.map((row) => ({
      name: String(row.name),
      manifest: Number(row.manifest),
      digest: row.digest as Digest,
      pushedAt: Number(row.updated_at),
      pulledAt: Number(row.pulled_at),
      locked: (Number(row.locks) & keep) !== 0,
      attached: row.attached === 1,
    }));
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

  private removeTag(repository: number, { name, manifest, pushedAt }: GarbageTag): boolean {
    const removed = this.statements.run(
      `DELETE FROM tags WHERE repository = ? AND name = ? AND manifest = ? AND updated_at = ? AND locks & ${keep} = 0`,
      repository,
      name,
      manifest,
      pushedAt,
    );
    if (removed > 0) this.condemn("m.id = ? AND m.repository = ?", manifest, repository);
    return removed > 0;
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
    for (const tag of this.tagsAbout(repository, digest)) this.removeTag(repository, tag);
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

  private tagsAbout(repository: number, digest: Digest): readonly GarbageTag[] {
    const prefix = attachedPrefix(digest);
    // "/" is what comes after "." and is in no tag.
    const names = this.statements.rows(
      "SELECT name, manifest, updated_at FROM tags WHERE repository = ? AND (name = ? OR name > ? AND name < ?)",
      repository,
      prefix,
      `${prefix}.`,
      `${prefix}/`,
    );
    return names.map((row) => ({
      name: String(row.name),
      manifest: Number(row.manifest),
      digest,
      pushedAt: Number(row.updated_at),
      pulledAt: 0,
      locked: false,
      attached: true,
    }));
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
