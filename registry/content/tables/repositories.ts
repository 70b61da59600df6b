import type { SQLInputValue } from "node:sqlite";
import type { NameRange, RepositoryName } from "../../../common/oci/reference.ts";
import { isListed } from "../locks/schema.ts";
import type { PageRequest } from "../metadata.ts";
import type { Statements } from "./statements.ts";

/** Which repositories there are. Opens no transaction: whoever changes something does. */
export class RepositoryTable {
  private readonly statements: Statements;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  /** The row of the repository, made if it is not there. */
  ensure(name: RepositoryName): SQLInputValue {
    this.statements.run("INSERT INTO repositories (name) VALUES (?) ON CONFLICT DO NOTHING", name);
    return this.statements.row("SELECT id FROM repositories WHERE name = ?", name)?.id ?? null;
  }

  has(name: RepositoryName): boolean {
    return this.statements.row("SELECT id FROM repositories WHERE name = ?", name) !== undefined;
  }

  /** Of all blobs and manifests that it has. */
  bytes(name: RepositoryName): number {
    return Number(this.statements.row("SELECT bytes FROM repositories WHERE name = ?", name)?.bytes ?? 0);
  }

  /** Those that have a manifest and may be listed, in ASCIIbetical order. */
  page(page: PageRequest, within: NameRange = { from: "", to: "~" }): readonly RepositoryName[] {
    const rows = this.statements.rows(
      `SELECT name FROM repositories INDEXED BY repositories_listed
       WHERE name > ? AND name >= ? AND name < ? AND ${isListed} ORDER BY name LIMIT ?`,
      page.after ?? "",
      within.from,
      within.to,
      page.limit,
    );
    return rows.map(({ name }) => name as RepositoryName);
  }
}
