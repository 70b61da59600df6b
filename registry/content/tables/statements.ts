import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Row } from "../database.ts";
import type { DatabaseHealth } from "../rescue/health.ts";

/** The statements of one database: each is prepared once, when it is first used. An absent value is `NULL`. */
export class Statements {
  private readonly database: DatabaseSync;
  private readonly health: DatabaseHealth;
  private readonly prepared = new Map<string, StatementSync>();

  /** @param health is told of errors */
  constructor(database: DatabaseSync, health: DatabaseHealth) {
    this.database = database;
    this.health = health;
  }

  /** The first row, if there is any. */
  row(sql: string, ...values: (SQLInputValue | undefined)[]): Row | undefined {
    try {
      return this.statement(sql).get(...values.map((value) => value ?? null));
    } catch (error) {
      this.health.notice(error);
      throw error;
    }
  }

  /** All rows, at once. */
  rows(sql: string, ...values: (SQLInputValue | undefined)[]): readonly Row[] {
    try {
      return this.statement(sql).all(...values.map((value) => value ?? null));
    } catch (error) {
      this.health.notice(error);
      throw error;
    }
  }

  /** The rows, each read when it is asked for. Nobody may use the same statement until the reading has ended. */
  *eachRow(sql: string, ...values: (SQLInputValue | undefined)[]): Iterable<Row> {
    try {
      yield* this.statement(sql).iterate(...values.map((value) => value ?? null));
    } catch (error) {
      this.health.notice(error);
      throw error;
    }
  }

  /** How many rows it changed. */
  run(sql: string, ...values: (SQLInputValue | undefined)[]): number {
    try {
      return Number(this.statement(sql).run(...values.map((value) => value ?? null)).changes);
    } catch (error) {
      this.health.notice(error);
      throw error;
    }
  }

  private statement(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.database.prepare(sql);
    this.prepared.set(sql, prepared);
    return prepared;
  }
}
