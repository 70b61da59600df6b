export interface SelectionFault {
  /** Within `tags`, such as `semver.range`. */
  readonly field: string;
  /** What is wrong with it, and what to write instead: continues a sentence that begins with the field. */
  readonly sentence: string;
}

/** Rules for tags that nobody can follow: every fault of them. */
export class InvalidSelectionError extends Error {
  override readonly name = "InvalidSelectionError";
  readonly faults: readonly SelectionFault[];

  constructor(faults: readonly SelectionFault[]) {
    super(faults.map(({ field, sentence }) => `tags.${field} ${sentence}`).join("; "));
    this.faults = faults;
  }
}

/** A text that is not of the grammar that its field has. The message says what to write instead. */
export class GrammarError extends Error {
  override readonly name = "GrammarError";
}
