import type { DateTime } from "luxon";

/** Nothing more may be asked of the parent in this period. What was begun goes on in the next. */
export class LinkQuotaError extends Error {
  override readonly name = "LinkQuotaError";
  readonly until: DateTime<true>;

  constructor(until: DateTime<true>) {
    super("The link's quota is used up.");
    this.until = until;
  }
}
