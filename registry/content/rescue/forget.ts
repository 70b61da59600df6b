import type { Statements } from "../tables/statements.ts";
import type { LossList } from "./losses.ts";

/**
 * Takes the blobs in rows `ids` out of the database, with the manifests that need them. For the work of a change.
 *
 * @param lost is told of each
 */
export function forgetBlobs(statements: Statements, ids: readonly number[], lost: LossList): void {
  despiteLocks(statements, () => {
    new Forgetting(statements, lost).blobs(ids);
  });
}

/** Takes the manifest `digest` out of every repository that has it. For the work of a change. */
export function forgetManifest(statements: Statements, digest: string, lost: LossList): void {
  const rows = statements.rows(
    "SELECT m.id FROM manifests m JOIN manifest_contents c ON c.id = m.content WHERE c.digest = ?",
    digest,
  );
  despiteLocks(statements, () => {
    const forgetting = new Forgetting(statements, lost);
    for (const { id } of rows) forgetting.manifest(Number(id));
  });
}

/** A lock keeps people from removing content; what a disk has lost is not there to be kept. */
function despiteLocks(statements: Statements, work: () => void): void {
  const locked = statements.rows("SELECT id, locks FROM repositories WHERE locks <> 0");
  statements.run("UPDATE repositories SET locks = 0 WHERE locks <> 0");
  work();
  for (const { id, locks } of locked) {
    statements.run("UPDATE repositories SET locks = ? WHERE id = ?", locks, id);
  }
}

class Forgetting {
  private readonly statements: Statements;
  private readonly lost: LossList;

  constructor(statements: Statements, lost: LossList) {
    this.statements = statements;
    this.lost = lost;
  }

  blobs(ids: readonly number[]): void {
    const users = this.statements.rows(
      "SELECT DISTINCT manifest FROM manifest_blobs WHERE blob IN (SELECT value FROM json_each(?))",
      JSON.stringify(ids),
    );
    for (const { manifest } of users) this.manifest(Number(manifest));
    for (const id of ids) {
      this.lost.blob();
      this.statements.run("DELETE FROM blob_links WHERE blob = ?", id);
      this.statements.run("DELETE FROM blobs WHERE id = ?", id);
    }
  }

  manifest(id: number): void {
    const row = this.statements.row(
      `SELECT r.id AS repository, r.name, c.id AS content, c.digest FROM manifests m
       JOIN repositories r ON r.id = m.repository JOIN manifest_contents c ON c.id = m.content WHERE m.id = ?`,
      id,
    );
    // Another loss took it along.
    if (row === undefined) return;
    this.statements.run("UPDATE manifests SET locks = 0 WHERE id = ?", id);
    this.statements.run("UPDATE tags SET locks = 0 WHERE manifest = ?", id);
    const repository = String(row.name);
    this.lost.manifest(repository, String(row.digest));
    for (const { name } of this.statements.rows("SELECT name FROM tags WHERE manifest = ?", id)) {
      this.lost.tag(repository, String(name));
    }
    const indexes = this.statements.rows(
      `UPDATE manifest_children SET sparse = 1 WHERE digest = ? AND manifest IN
       (SELECT id FROM manifests WHERE repository = ?) RETURNING manifest`,
      row.digest,
      row.repository,
    );
    this.statements.run("DELETE FROM manifests WHERE id = ?", id);
    this.statements.run(
      "DELETE FROM manifest_contents WHERE id = ? AND NOT EXISTS (SELECT 1 FROM manifests WHERE content = ?)",
      row.content,
      row.content,
    );
    for (const { manifest } of indexes) if (this.isHollow(Number(manifest))) this.manifest(Number(manifest));
  }

  /** Whether nothing that the index names is here. */
  private isHollow(index: number): boolean {
    const row = this.statements.row(
      `SELECT EXISTS (SELECT 1 FROM manifest_children WHERE manifest = ? AND sparse = 0)
         OR EXISTS (SELECT 1 FROM manifest_blobs WHERE manifest = ?) AS keeps`,
      index,
      index,
    );
    return row?.keeps === 0;
  }
}
