import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../common/clock.ts";
import { openDatabase, transaction } from "./database.ts";
import { migrations } from "./schema.ts";
import { Statements } from "./tables/statements.ts";

/**
 * The database of all metadata, which each subject (names and links, locks, garbage, …) shares with its own class.
 *
 * # Guarantees
 * - A change is one transaction: readers see it whole or not at all. Once its promise resolves it survives power loss.
 * - Changes happen one after another, in the order in which they were asked for.
 * # Caveats
 * A reader may see a change that is not durable yet. Whoever acts on what it reads outside the database (removes a file, tells
 * another machine) waits for a change of its own first: what was durable then implies everything earlier.
 */
export class MetadataDatabase {
  /** For reading. Only the work of a change may write. */
  readonly statements: Statements;
  private readonly database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.database = database;
    this.statements = new Statements(database);
  }

  /** @param path of the database file, or `:memory:` */
  static async open(path: string, clock: Clock): Promise<MetadataDatabase> {
    return Promise.resolve(new MetadataDatabase(openDatabase(path, migrations, clock)));
  }

  /** Resolves when what `work` changed is durable. If `work` throws, nothing was changed. */
  async change<T>(work: () => T): Promise<T> {
    return Promise.resolve(transaction(this.database, work));
  }

  /** No change may be under way, and nothing may follow. */
  async close(): Promise<void> {
    this.database.close();
    return Promise.resolve();
  }
}
