import type { Tag } from "../../../common/oci/reference.ts";
import type { RepositoryView, Sight } from "./parent-view.ts";

/** Why a tag should not be here any more. */
export const missingReasons = {
  gone: "the parent has it no more",
  unselected: "the rules select it no more",
  overtaken: "newer tags have taken its place",
} as const;

export type MissingReason = keyof typeof missingReasons;

/** What the parent and the rules say of the tags of one repository that came from the parent. */
export interface Verdict {
  readonly missing: ReadonlyMap<Tag, MissingReason>;
  /** How many of its tags the rules keep. */
  readonly kept: number;
  /** Of how many tags that is said. */
  readonly total: number;
  /** Whether the repository as a whole is wanted no more. */
  readonly whole: boolean;
}

/** Why nothing is said of a repository. `undefined`: a part of the pass failed, which is told elsewhere. */
export interface NoVerdict {
  readonly because: string | undefined;
}

/**
 * Judges `tags` of one repository. What was not seen for certain is no ground for anything: a list that is empty, or
 * of which the rules select nothing, is taken for somebody's mistake (T19).
 *
 * @param sight with a list of the parent's tags wherever the absence of one matters
 */
export function verdictOn(tags: readonly Tag[], sight: Sight): Verdict | NoVerdict {
  switch (sight.kind) {
    case "unknown":
      return { because: undefined };
    case "unselected":
    case "gone":
      return {
        missing: new Map(tags.map((tag) => [tag, sight.kind])),
        ...{ kept: 0, total: tags.length, whole: true },
      };
    case "seen":
      return verdictBy(tags, sight.view);
  }
}

function verdictBy(
  tags: readonly Tag[],
  { listed, selected, overtaken }: RepositoryView,
): Verdict | NoVerdict {
  if (listed?.size === 0) return { because: "the parent lists no tags of it" };
  const present = listed ?? selected;
  if (![...selected].some((tag) => present.has(tag))) return { because: "the rules select none of its tags" };
  const missing = new Map<Tag, MissingReason>();
  for (const tag of tags) {
    if (!present.has(tag)) missing.set(tag, listed === undefined ? "unselected" : "gone");
    else if (!selected.has(tag)) missing.set(tag, overtaken.has(tag) ? "overtaken" : "unselected");
  }
  return { missing, kept: tags.length - missing.size, total: tags.length, whole: false };
}

/**
 * What is left of a verdict where clients may have anything that the parent has: what they fetched need not be selected
 * to be wanted.
 */
export function goneOnly<T extends Verdict>(verdict: T): T {
  const missing = new Map([...verdict.missing].filter(([, reason]) => reason === "gone"));
  return { ...verdict, missing, kept: verdict.total - missing.size };
}

/** Whether the number of tags that are missing in a repository, or in all, looks like a mistake. */
export class Cap {
  private readonly maxPercent: number;

  constructor(maxPercent: number) {
    this.maxPercent = maxPercent;
  }

  /** A repository that is gone as a whole is judged with all others only. */
  exceededBy(verdict: Verdict): boolean {
    return !verdict.whole && weightOf(verdict) > this.limit(verdict.total);
  }

  exceededByAll(verdicts: readonly Verdict[]): boolean {
    const weight = verdicts.reduce((sum, verdict) => sum + weightOf(verdict), 0);
    return weight > this.limit(verdicts.reduce((sum, { total }) => sum + total, 0));
  }

  private limit(total: number): number {
    return Math.max(1, Math.floor((total * this.maxPercent) / 100));
  }
}

/** That tags come and older ones go is what a rule with a number asks for; that more go than it keeps is not. */
function weightOf({ missing, kept }: Verdict): number {
  const overtaken = [...missing.values()].filter((reason) => reason === "overtaken").length;
  return overtaken > kept ? missing.size : missing.size - overtaken;
}
