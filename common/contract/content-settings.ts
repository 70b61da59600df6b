import * as z from "zod/mini";
import { isCron } from "../cron.ts";
import { described } from "./described.ts";

const glob = described(
  "A name, or a glob in which `*` stands for anything but `/` and `**` for anything.",
  z.string().check(z.minLength(1), z.maxLength(255)),
);

const schedule = z
  .string()
  .check(
    z.maxLength(100),
    z.refine(isCron, "write five cron fields, such as 0 3 * * * for every day at three"),
  );

const tenYears = 315_360_000;
const age = z.number().check(z.gte(0), z.lte(tenYears));
const bytes = z.number().check(z.gte(1), z.lte(Number.MAX_SAFE_INTEGER));

const garbageCollectionSchema = z.object({
  enabled: described(
    "Whether content that nothing refers to is removed by itself.",
    z._default(z.boolean(), true),
  ),
  schedule: described("When, in five cron fields, in UTC.", z._default(schedule, "0 3 * * *")),
  graceSeconds: described(
    "How long such content stays all the same: a push that runs may be about to refer to it.",
    z._default(z.number().check(z.gte(60), z.lte(tenYears)), 86_400),
  ),
  dryRun: described("Only say what would be removed.", z._default(z.boolean(), false)),
});

const retentionTagsSchema = z
  .object({
    include: described(
      "The tags that this is about. Of these, what none of the criteria keeps is removed, and with its last tag the image.",
      z.array(glob).check(z.minLength(1), z.maxLength(100)),
    ),
    keepNewest: described(
      "Keeps so many, those that were pushed last.",
      z.optional(z.int().check(z.gte(1), z.lte(1_000_000))),
    ),
    keepPushedWithinSeconds: described("Keeps those that were pushed so recently.", z.optional(age)),
    keepPulledWithinSeconds: described("Keeps those that were pulled so recently.", z.optional(age)),
  })
  .check(
    z.refine(
      // Without a criterion every tag would go: more likely a mistake than a wish.
      (tags) =>
        [tags.keepNewest, tags.keepPushedWithinSeconds, tags.keepPulledWithinSeconds].some(
          (each) => each !== undefined,
        ),
      "give keepNewest, keepPushedWithinSeconds or keepPulledWithinSeconds",
    ),
  );

const retentionRuleSchema = z.object({
  repositories: described(
    "The repositories that the rule is about.",
    z.array(glob).check(z.minLength(1), z.maxLength(100)),
  ),
  tags: described(
    "Which tags to keep. A tag stays if any entry of any rule keeps it, or none is about it.",
    z._default(z.array(retentionTagsSchema).check(z.maxLength(50)), []),
  ),
  untaggedAfterSeconds: described(
    "How long a manifest stays once no tag, index or referrer holds it. Absent: for ever, for pods may name its digest.",
    z.optional(age),
  ),
});

const repositoryQuotaSchema = z.object({
  repositories: glob,
  bytes: described("Upper bound of what each of them may hold.", bytes),
});

const scrubSchema = z.object({
  enabled: described("Whether stored content is read and checked by itself.", z._default(z.boolean(), true)),
  schedule: described("When, in five cron fields, in UTC.", z._default(schedule, "0 4 * * 0")),
  bytesPerSecond: described(
    "How fast it reads at most.",
    z._default(z.number().check(z.gte(65_536), z.lte(Number.MAX_SAFE_INTEGER)), 20 * 1024 * 1024),
  ),
});

const auditSchema = z.object({
  enabled: described(
    "Whether it is logged who did what, from where, and how it ended.",
    z._default(z.boolean(), false),
  ),
});

/** What a registry does with the content it holds, wherever that came from. */
export const contentSettings = {
  garbageCollection: described(
    "Removal of content that nothing refers to.",
    z.prefault(garbageCollectionSchema, {}),
  ),
  retention: described(
    "Which tags and untagged manifests are removed by age. Absent: none ever is.",
    z._default(z.array(retentionRuleSchema).check(z.maxLength(100)), []),
  ),
  storageQuotaBytes: described(
    "Upper bound of all stored content: many volume types do not enforce their size. Absent: the volume's.",
    z.optional(bytes),
  ),
  storageReserveBytes: described(
    "Space of the volume that stays free: below it writes are refused, reads are not. Absent: 1 % of the volume, at least 256 MiB, but at most a tenth.",
    z.optional(bytes),
  ),
  quotas: described(
    "Upper bounds of single repositories. Of several that name a repository the first counts.",
    z._default(z.array(repositoryQuotaSchema).check(z.maxLength(100)), []),
  ),
  deleteEnabled: described(
    "Whether clients may delete; otherwise every such request is refused, whoever makes it.",
    z._default(z.boolean(), true),
  ),
  scrub: described("Checks of what is stored against its digests.", z.prefault(scrubSchema, {})),
  audit: described("The audit log.", z.prefault(auditSchema, {})),
};

export type GarbageCollectionSettings = z.output<typeof garbageCollectionSchema>;
export type RetentionRule = z.output<typeof retentionRuleSchema>;
export type RepositoryQuota = z.output<typeof repositoryQuotaSchema>;
export type ScrubSettings = z.output<typeof scrubSchema>;
