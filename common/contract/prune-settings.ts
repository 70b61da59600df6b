import * as z from "zod/mini";
import { described } from "./described.ts";

const tenYears = 315_360_000;
const period = z.number().check(z.gte(60), z.lte(tenYears));

/** What becomes of tags that came from the parent, and that it has no more, or the rules select no more. */
export const pruneSchema = z.object({
  enabled: described(
    "Whether tags are removed here that the parent has no more, or the rules select no more. Only what came from the parent, and is not locked.",
    z._default(z.boolean(), false),
  ),
  gracePeriodSeconds: described(
    "How long a tag is missing, in two complete passes at least, before it is removed here.",
    z._default(period, 86_400),
  ),
  recoveryPeriodSeconds: described(
    "How long the image of a removed tag stays after that, so that the tag can come back without a transfer.",
    z._default(period, 604_800),
  ),
  maxPercent: described(
    "If more of the tags of a repository, or of all tags, are missing at once, nothing is removed; one may always be. Tags that newer ones have overtaken count only if there are more of them than the rule keeps.",
    z._default(z.int().check(z.gte(1), z.lte(100)), 10),
  ),
});

export type PruneSettings = z.output<typeof pruneSchema>;
