import type { DateTime } from "luxon";
import type { Offer } from "../../resources/publication.ts";
import type { Finding } from "../../status/summarize.ts";

/** What a source of certificates has to say. */
export interface SourceAnswer {
  readonly offer: Offer;
  /** When to ask again, if nothing else happens. */
  readonly change: DateTime<true> | undefined;
  readonly finding: Finding;
}
