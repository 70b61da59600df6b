import { randomUUID } from "node:crypto";
import { DateTime } from "luxon";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { answerOf } from "./answer.ts";
import type { PlanEntry, RepositoryPlan } from "./entries.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import { failuresOf } from "../sync/telling/failures.ts";
import type { PlanFailure } from "../sync/planning/sync-plan.ts";
import { reportOf } from "../sync/round.ts";

const repository = "r".repeat(255);
const tag = (i: number): string => String(i).padStart(128, "t");
const long = "m".repeat(100_000);
const many = 5000;

test("T95 a status is small, however many images there are and whatever is wrong with them", () => {
  const clock = new ManualClock();
  const board = new StatusBoard("0.1.0", clock, randomUUID);
  const now = DateTime.fromISO("2026-01-01T00:00:00Z", { zone: "utc" }) as DateTime<true>;
  const failures = Array.from({ length: many }, (_, i): PlanFailure => ({
    ...{ repository, tag: tag(i), error: new Error(`${i} ${long}`), retryTime: now },
  }));
  const tags = { selected: many, upToDate: 0, copied: 0, failed: many, postponed: 0 };
  const begun = { trigger: "InitialSync", startTime: now.toISO() } as const;
  const result = { tags, failures, notice: long };
  const sync = reportOf(begun, result, failuresOf(failures), now, { bytes: Number.MAX_SAFE_INTEGER });
  const repositories = Array.from({ length: many }, (_, i): RepositoryPlan => ({
    ...{ repository: `${repository}${i}`, selected: 1, here: 0, toFetch: 1, leftOut: 1, failed: 1 },
    bytes: Number.MAX_SAFE_INTEGER,
    reasons: [{ reason: "excluded", count: 1 }],
  }));
  const entries = failures.map(({ tag: name = "" }): PlanEntry => ({
    ...{ repository, tag: name, state: "Failed", reason: long },
  }));
  const asked = { request: "q".repeat(256), startTime: now.toISO() };
  const plan = answerOf(asked, { entries, repositories, notice: long }, now.toISO());
  board.update({ contact: "online", sync, plan });
  for (const type of ["Parent", "Catalog", "Storage", "Volume", "Content", "Database", "Prune", "Up"]) {
    board.setFault(type, { code: "FAULT", description: long });
  }
  expect(board.current.sync?.failures).toHaveLength(10);
  expect(JSON.stringify(board.current).length).toBeLessThan(64 * 1024);
});
