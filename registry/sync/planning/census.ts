import { leftOutReasons, type LeftOut } from "../../../common/selection/left-out.ts";
import type { TagChoice } from "./select.ts";
import { few } from "../../../common/few.ts";

/** A rule that selects nothing of what the parent has. */
export interface IdleRule {
  /** The rule's repository, or pattern of such. */
  readonly name: string;
  /** Why, as it stands after "it selects nothing:". */
  readonly why: string;
}

/** What one rule makes of the tags at the parent, counted over all repositories that it is about. */
export class Census {
  private readonly leftOut = new Map<LeftOut, number>();
  private repositories = 0;
  private selected = 0;
  private complete = true;

  add(choice: TagChoice): void {
    this.repositories += 1;
    this.selected += choice.selected.length;
    for (const reason of choice.leftOut.values()) {
      this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1);
    }
  }

  /** A tag that was selected is left out after all. */
  drop(reason: LeftOut): void {
    this.selected -= 1;
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1);
  }

  /** Something that the rule is about could not be looked at: what it would select is not known. */
  unknown(): void {
    this.complete = false;
  }

  /** @returns `undefined` if the rule selects something, or may */
  idle(name: string): IdleRule | undefined {
    if (this.selected > 0 || !this.complete) return undefined;
    if (this.repositories === 0) return { name, why: "the parent has no such repository" };
    const reasons = Object.entries(leftOutReasons).flatMap(([reason, words]) => {
      const count = this.leftOut.get(reason as LeftOut);
      return count === undefined ? [] : [`${count} ${words}`];
    });
    return { name, why: reasons.length === 0 ? "there are no tags" : `its tags: ${reasons.join(", ")}` };
  }
}

/** What a person should know of tags that are too big for all rules that select them; `undefined` if there are none. */
export function bigSentence(
  big: readonly { readonly repository: string; readonly tag: string }[],
): string | undefined {
  if (big.length === 0) return undefined;
  return `Left out, for they are bigger than maxSize: ${few(big.map(({ repository, tag }) => `${repository}:${tag}`))}.`;
}

/** What a person should know of rules that select nothing; `undefined` if there are none. */
export function idleSentence(idle: readonly IdleRule[]): string | undefined {
  if (idle.length === 0) return undefined;
  const rules = idle.map(({ name, why }) => `${name} (${why})`);
  return `Nothing is selected by ${few(rules, { separator: "; " })}.`;
}
