import { open } from "node:fs/promises";
import { writeAtomically } from "../../common/atomic-file.ts";
import type { PlanStatus } from "../../common/contract/status.ts";
import { hasCode, messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { planStates, type PlanEntry, type PlanState } from "./entries.ts";

/** One line each: first the answer with how many tags there are of each state, then the tags. */
interface Head {
  readonly answer: PlanStatus;
  readonly counts: Readonly<Record<PlanState, number>>;
}

/** The last plan on the volume: its tags may be many, and nobody needs them in memory. */
export class KeptPlan {
  private readonly path: string;
  private readonly log: Logger;

  constructor(path: string, log: Logger) {
    this.path = path;
    this.log = log;
  }

  /** `undefined` if there is none, or it cannot be read. */
  async answer(): Promise<PlanStatus | undefined> {
    return (await this.head())?.answer;
  }

  async keep(answer: PlanStatus, entries: readonly PlanEntry[]): Promise<void> {
    const counts = Object.fromEntries(planStates.map((state) => [state, 0])) as Record<PlanState, number>;
    for (const { state } of entries) counts[state] += 1;
    const head: Head = { answer, counts };
    const lines = [head, ...entries].map((line) => JSON.stringify(line));
    await writeAtomically(this.path, `${lines.join("\n")}\n`, 0o600);
  }

  /** A part of the tags. @param state only those of this state */
  async page(
    offset: number,
    limit: number,
    state: PlanState | undefined,
  ): Promise<{ readonly count: number; readonly items: readonly PlanEntry[] }> {
    const head = await this.head();
    if (head === undefined) return { count: 0, items: [] };
    const all = Object.values(head.counts).reduce((sum, count) => sum + count, 0);
    const count = state === undefined ? all : head.counts[state];
    const items: PlanEntry[] = [];
    let position = -1;
    for await (const line of this.lines()) {
      if (items.length >= limit) break;
      // The first line is the head.
      if (position++ < 0) continue;
      const entry = JSON.parse(line) as PlanEntry;
      if (state !== undefined && entry.state !== state) position -= 1;
      else if (position > offset) items.push(entry);
    }
    return { count, items };
  }

  private async head(): Promise<Head | undefined> {
    try {
      for await (const line of this.lines()) return JSON.parse(line) as Head;
    } catch (error) {
      if (!hasCode(error, "ENOENT")) {
        this.log.warn("the plan that was kept cannot be read", { error: messageOf(error) });
      }
    }
    return undefined;
  }

  private async *lines(): AsyncGenerator<string> {
    const file = await open(this.path);
    try {
      yield* file.readLines({ autoClose: false });
    } finally {
      await file.close();
    }
  }
}
