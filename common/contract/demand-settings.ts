import * as z from "zod/mini";
import { described } from "./described.ts";

const patterns = z
  .array(z.string().check(z.minLength(1), z.maxLength(255)))
  .check(z.minLength(1), z.maxLength(100));

const onDemandPolicies = ["Never", "Selected", "Any"] as const;

/** What is fetched from the parent because a client asks for it. */
export const onDemandSchema = z.object({
  policy: described(
    "Which images that are not here are fetched when a client asks for them. `Selected`: those that `sync.repositories` select (`newest` and `maxSizeBytes` do not count), and what belongs to them. `Any`: all that the parent lets us read.",
    z._default(z.enum(onDemandPolicies), "Never"),
  ),
});

const longestAge = 30 * 86_400;

export const freshnessRuleSchema = z
  .object({
    repositories: described(
      "Names or globs: the rule is about repositories that one of them matches…",
      z._default(patterns, ["**"]),
    ),
    tags: described("…and those of their tags that one of these matches.", z._default(patterns, ["*"])),
    check: described(
      "When a tag that is here is compared with the parent. `Never`: it does not change, and is not asked for by syncs either. `MaxAge`: when it is pulled and was last confirmed longer ago. `Always`: whenever it is pulled.",
      z.enum(["Never", "MaxAge", "Always"]),
    ),
    maxAgeSeconds: described(
      "For how long the parent's word is taken. Only with `MaxAge`, which needs it.",
      z.optional(z.int().check(z.gte(1), z.lte(longestAge))),
    ),
  })
  .check(
    z.refine((rule) => (rule.check === "MaxAge") === (rule.maxAgeSeconds !== undefined), {
      path: ["maxAgeSeconds"],
      error: "is needed with check MaxAge, and means nothing without",
    }),
  );

export type FreshnessRule = z.output<typeof freshnessRuleSchema>;
