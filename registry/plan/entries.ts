import { leftOutReasons, type LeftOut } from "../../common/selection/left-out.ts";

/**
 * What a sync would make of a tag. `Here`: nothing, all of it is here. `New`: it brings the tag. `Changed`: it replaces what
 * is here under the tag. `Incomplete`: it completes it. `LeftOut`: nothing, by the rules. `Failed`: nobody knows.
 */
export const planStates = ["New", "Changed", "Incomplete", "Here", "LeftOut", "Failed"] as const;
export type PlanState = (typeof planStates)[number];

/** One tag of a plan. */
export interface PlanEntry {
  readonly repository: string;
  /** Absent: the repository, or the rule, as a whole could not be looked at. */
  readonly tag?: string;
  readonly state: PlanState;
  /** What the parent has under the tag. */
  readonly digest?: string;
  /** How much would come from the parent for it. What several tags need is counted with the first of them. */
  readonly bytes?: number;
  /** Why it is left out, or what went wrong. */
  readonly reason?: string;
}

/** All tags of one repository together. */
export interface RepositoryPlan {
  readonly repository: string;
  readonly selected: number;
  readonly here: number;
  readonly toFetch: number;
  readonly leftOut: number;
  readonly failed: number;
  readonly bytes: number;
  /** How many tags are left out for which reason, in the order in which a rule looks at them. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
}

/** More tags that are left out are counted, and not named. */
const maxLeftOut = 100_000;

/** Gathers what a plan finds out. */
export class PlanLedger {
  private readonly entries: PlanEntry[] = [];
  private readonly leftOut = new Map<string, Map<LeftOut, number>>();
  private named = 0;

  add(entry: PlanEntry): void {
    this.entries.push(entry);
  }

  leave(repository: string, tag: string, reason: LeftOut, digest?: string): void {
    const counts = this.leftOut.get(repository) ?? new Map<LeftOut, number>();
    this.leftOut.set(repository, counts);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (++this.named > maxLeftOut) return;
    const known = digest === undefined ? {} : { digest };
    this.entries.push({ repository, tag, state: "LeftOut", reason: leftOutReasons[reason], ...known });
  }

  /** By repository, within it what a sync would do first, then by tag. */
  sorted(): readonly PlanEntry[] {
    const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
    return this.entries.sort(
      (a, b) =>
        order(a.repository, b.repository) ||
        planStates.indexOf(a.state) - planStates.indexOf(b.state) ||
        order(a.tag ?? "", b.tag ?? ""),
    );
  }

  /** By name. */
  repositories(): readonly RepositoryPlan[] {
    const plans = new Map<string, { -readonly [K in keyof RepositoryPlan]: RepositoryPlan[K] }>();
    const of = (repository: string): { -readonly [K in keyof RepositoryPlan]: RepositoryPlan[K] } => {
      const known = plans.get(repository) ?? {
        ...{ repository, selected: 0, here: 0, toFetch: 0, leftOut: 0, failed: 0, bytes: 0, reasons: [] },
      };
      plans.set(repository, known);
      return known;
    };
    for (const { repository, state, bytes = 0 } of this.entries) {
      const plan = of(repository);
      plan.bytes += bytes;
      if (state === "LeftOut") continue;
      if (state === "Failed") plan.failed += 1;
      else plan.selected += 1;
      if (state === "Here") plan.here += 1;
      else if (state !== "Failed") plan.toFetch += 1;
    }
    for (const [repository, counts] of this.leftOut) {
      const plan = of(repository);
      plan.leftOut = [...counts.values()].reduce((sum, count) => sum + count, 0);
      plan.reasons = reasonsOf(counts);
    }
    return [...plans.values()].sort((a, b) => (a.repository < b.repository ? -1 : 1));
  }
}

function reasonsOf(counts: ReadonlyMap<LeftOut, number>): RepositoryPlan["reasons"] {
  return (Object.keys(leftOutReasons) as LeftOut[]).flatMap((reason) => {
    const count = counts.get(reason);
    return count === undefined ? [] : [{ reason: leftOutReasons[reason], count }];
  });
}
