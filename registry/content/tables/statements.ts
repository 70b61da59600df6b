import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Row } from "../database.ts";

/** The statements of one database: each is prepared once, when it is first used. An absent value is `NULL`. */
export class Statements {
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  /** The first row, if there is any. */
  row(sql: string, ...values: (SQLInputValue | undefined)[]): Row | undefined {
    return this.statement(sql).get(...values.map((value) => value ?? null));
  }

  /** All rows, at once. */
  rows(sql: string, ...values: (SQLInputValue | undefined)[]): readonly Row[] {
    return this.statement(sql).all(...values.map((value) => value ?? null));
  }

  /** The rows, each read when it is asked for. Nobody may use the same statement until the reading has ended. */
  eachRow(sql: string, ...values: (SQLInputValue | undefined)[]): Iterable<Row> {
    return this.statement(sql).iterate(...values.map((value) => value ?? null));
  }

  /** How many rows it changed. */
  run(sql: string, ...values: (SQLInputValue | undefined)[]): number {
    return Number(this.statement(sql).run(...values.map((value) => value ?? null)).changes);
  }

  private statement(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.database.prepare(sql);
    this.prepared.set(sql, prepared);
    return prepared;
  }
}
