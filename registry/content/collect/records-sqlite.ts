import { DateTime } from "luxon";
import type { MetadataDatabase } from "../metadata-database.ts";
import type { CollectionRecords, Pull } from "./garbage.ts";
import { pullPrecision } from "./policy.ts";
import { collectMigration } from "./schema.ts";

/** What collections keep, in the database of all metadata. */
export class SqliteCollectionRecords implements CollectionRecords {
  private readonly database: MetadataDatabase;

  constructor(database: MetadataDatabase) {
    this.database = database;
  }

  async notePulls(pulls: readonly Pull[]): Promise<void> {
    const { statements } = this.database;
    await this.database.change(() => {
      // Most pulls are of what was pulled within the hour: they write nothing.
      statements.run(
        `UPDATE manifests SET pulled_at = p.at FROM (
           SELECT m.id, json_extract(j.value, '$.at') AS at FROM json_each(?) j
           JOIN repositories r ON r.name = json_extract(j.value, '$.repository')
           JOIN manifest_contents c ON c.digest = json_extract(j.value, '$.digest')
           JOIN manifests m ON m.repository = r.id AND m.content = c.id
         ) p WHERE manifests.id = p.id AND coalesce(manifests.pulled_at, 0) < p.at - ${pullPrecision}`,
        JSON.stringify(pulls),
      );
    });
  }

  pullsSince(): number {
    const row = this.database.statements.row(
      "SELECT applied_at FROM additions WHERE version = ?",
      collectMigration.version,
    );
    return row === undefined ? 0 : DateTime.fromISO(String(row.applied_at)).toMillis();
  }

  last(): { readonly begunAt: number; readonly report: string } | undefined {
    const row = this.database.statements.row("SELECT begun_at, report FROM collection");
    return row === undefined ? undefined : { begunAt: Number(row.begun_at), report: String(row.report) };
  }

  async keep(begunAt: number, report: string): Promise<void> {
    await this.database.change(() =>
      this.database.statements.run(
        `INSERT INTO collection (one, begun_at, report) VALUES (1, ?, ?)
         ON CONFLICT DO UPDATE SET begun_at = excluded.begun_at, report = excluded.report`,
        begunAt,
        report,
      ),
    );
  }
}
