import type { Digest } from "../../common/oci/digest.ts";
import type { Tag } from "../../common/oci/reference.ts";

/** What a write demands of what is there before it: asked in the same transaction. */
export interface Condition {
  /** Of what this tag points at; absent: of the manifest that is written. */
  readonly tag?: Tag;
  readonly holds: (current: Digest | undefined) => boolean;
}

/** What is there now is not what the writer thought: somebody else was faster. */
export class ConditionFailedError extends Error {
  override readonly name = "ConditionFailedError";
  readonly current: Digest | undefined;

  constructor(current: Digest | undefined) {
    super(current === undefined ? "it is not there" : `it is ${current} now`);
    this.current = current;
  }
}
