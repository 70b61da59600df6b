import type { SQLInputValue } from "node:sqlite";
import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import type { MetadataDatabase } from "../metadata-database.ts";
import { ContentLockedError } from "../store.ts";
import type { Statements } from "../tables/statements.ts";
import type { PageRequest } from "../metadata.ts";
import type { Attributes, LockedItem, Locks, LockTarget, ManifestFacts, TagItem } from "./locks.ts";
import { manifestPage, tagPage } from "./pages-sqlite.ts";
import { attributesOf, locksOf, timesOf } from "./rows.ts";
import { lockBits } from "./schema.ts";

const maxTags = 1_000;
const kinds = ["repositories", "manifests", "tags"] as const;

/** Locks in the database that holds what they lock. */
export class SqliteLocks implements Locks {
  private readonly database: MetadataDatabase;
  private readonly statements: Statements;
  private hidesFromReaders: boolean;

  constructor(database: MetadataDatabase) {
    this.database = database;
    this.statements = database.statements;
    this.hidesFromReaders = this.findReadLock();
  }

  async describe(repository: RepositoryName, target: LockTarget): Promise<LockedItem | undefined> {
    const row = this.find(repository, target);
    if (row === undefined) return undefined;
    const attributes = attributesOf(Number(row.locks));
    switch (target.kind) {
      case "repository":
        return { ...this.summary(row.id ?? null), attributes };
      case "tag":
        return { ...timesOf(row), attributes, digest: String(row.digest) as Digest };
      case "manifest":
        return { ...timesOf(row), attributes, digest: target.digest, manifest: this.facts(row) };
    }
  }

  async tagPage(repository: RepositoryName, page: PageRequest): Promise<readonly TagItem[]> {
    return tagPage(this.statements, repository, page);
  }

  async manifestPage(repository: RepositoryName, page: PageRequest): Promise<readonly LockedItem[]> {
    const items: LockedItem[] = [];
    for (const digest of await manifestPage(this.statements, repository, page)) {
      const item = await this.describe(repository, { kind: "manifest", digest });
      // It may be gone since its digest was read.
      if (item !== undefined) items.push(item);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return items;
  }

  async change(
    repository: RepositoryName,
    target: LockTarget,
    attributes: Partial<Attributes>,
  ): Promise<boolean> {
    const found = await this.database.change(() => {
      const row = this.find(repository, target);
      if (row === undefined) return false;
      if (target.kind !== "repository") this.demandWrite(repository);
      const locks = locksOf({ ...attributesOf(Number(row.locks)), ...attributes });
      switch (target.kind) {
        case "repository":
          this.statements.run("UPDATE repositories SET locks = ? WHERE id = ?", locks, row.id);
          break;
        case "manifest":
          this.statements.run("UPDATE manifests SET locks = ? WHERE id = ?", locks, row.id);
          break;
        case "tag":
          this.statements.run(
            "UPDATE tags SET locks = ? WHERE repository = ? AND name = ?",
            locks,
            row.repository,
            target.tag,
          );
      }
      return true;
    });
    this.hidesFromReaders = this.findReadLock();
    return found;
  }

  demandRead(repository: RepositoryName, target: LockTarget): void {
    if (!this.allowsReading(repository)) throw new ContentLockedError(`repository ${repository} is locked`);
    if (target.kind === "repository" || !this.hides(repository, target)) return;
    const name = target.kind === "tag" ? `tag ${target.tag}` : `manifest ${target.digest}`;
    throw new ContentLockedError(`${name} is locked`);
  }

  allowsReading(repository: RepositoryName): boolean {
    return !this.hides(repository, { kind: "repository" });
  }

  demandList(repository: RepositoryName): void {
    if (Number(this.find(repository, { kind: "repository" })?.locks) & lockBits.listEnabled) {
      throw new ContentLockedError(`repository ${repository} is locked`);
    }
  }

  demandWrite(repository: RepositoryName): void {
    if (Number(this.find(repository, { kind: "repository" })?.locks) & lockBits.writeEnabled) {
      throw new ContentLockedError(`repository ${repository} is locked`);
    }
  }

  private hides(repository: RepositoryName, target: LockTarget): boolean {
    if (!this.hidesFromReaders) return false;
    return (Number(this.find(repository, target)?.locks) & lockBits.readEnabled) !== 0;
  }

  private find(repository: RepositoryName, target: LockTarget): Row | undefined {
    switch (target.kind) {
      case "repository":
        return this.statements.row("SELECT id, locks FROM repositories WHERE name = ?", repository);
      case "tag":
        return this.statements.row(
          `SELECT t.repository, t.locks, t.updated_at, m.pushed_at, c.digest FROM tags t
           JOIN repositories r ON r.id = t.repository JOIN manifests m ON m.id = t.manifest
           JOIN manifest_contents c ON c.id = m.content WHERE r.name = ? AND t.name = ?`,
          repository,
          target.tag,
        );
      case "manifest":
        return this.statements.row(
          `SELECT m.id, m.locks, m.media_type, m.pushed_at, m.pushed_at AS updated_at, c.size FROM manifests m
           JOIN repositories r ON r.id = m.repository JOIN manifest_contents c ON c.id = m.content
           WHERE r.name = ? AND c.digest = ?`,
          repository,
          target.digest,
        );
    }
  }

  private summary(id: SQLInputValue): Pick<LockedItem, "createdAt" | "updatedAt" | "counts"> {
    const manifests = this.statements.row(
      "SELECT count(*) AS n, min(pushed_at) AS first, max(pushed_at) AS last FROM manifests WHERE repository = ?",
      id,
    );
    const tags = this.statements.row(
      "SELECT count(*) AS n, max(updated_at) AS last FROM tags WHERE repository = ?",
      id,
    );
    return {
      createdAt: Number(manifests?.first),
      updatedAt: Math.max(Number(manifests?.last), Number(tags?.last)),
      counts: { manifests: Number(manifests?.n), tags: Number(tags?.n) },
    };
  }

  private facts(row: Row): ManifestFacts {
    const blobs = this.statements.row(
      "SELECT sum(b.size) AS bytes FROM manifest_blobs mb JOIN blobs b ON b.id = mb.blob WHERE mb.manifest = ?",
      row.id,
    );
    const tags = this.statements.rows(
      `SELECT name FROM tags WHERE manifest = ? ORDER BY name LIMIT ${maxTags}`,
      row.id,
    );
    return {
      mediaType: String(row.media_type),
      imageSize: Number(row.size) + Number(blobs?.bytes),
      tags: tags.map(({ name }) => name as Tag),
    };
  }

  private findReadLock(): boolean {
    return kinds.some(
      (table) =>
        this.statements.row(
          `SELECT 1 FROM ${table} WHERE locks <> 0 AND locks & ${lockBits.readEnabled} LIMIT 1`,
        ) !== undefined,
    );
  }
}
