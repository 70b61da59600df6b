import * as z from "zod/mini";
import { newestOrders } from "../selection/newest.ts";
import { described } from "./described.ts";

const pattern = z.string().check(z.minLength(1), z.maxLength(255));
const expression = z.string().check(z.minLength(1), z.maxLength(255));

const tagSelectionSchema = z.object({
  include: described(
    "Names or globs: a tag is selected if one of them matches…",
    z._default(z.array(pattern).check(z.maxLength(100)), ["*"]),
  ),
  exclude: described(
    "…and none of these does, whatever else selects it.",
    z._default(z.array(pattern).check(z.maxLength(100)), []),
  ),
  expression: described(
    "Of what the globs match, only tags that match this as a whole: a regular expression in RE2's syntax. Its group named `version`, or its only one, is what `semver` and `newest` look at instead of the tag.",
    z.optional(expression),
  ),
  excludeExpression: described(
    "Tags that match this as a whole are left out, whatever selects them.",
    z.optional(expression),
  ),
  semver: described(
    "Of what the globs match, only versions (SemVer 2.0.0, with or without `v`). A tag that `include` names in full needs to be none.",
    z.optional(
      z.object({
        range: described(
          "In npm's grammar, such as `>=1.2 <3` or `^1.4 || 2.x`.",
          z._default(z.string().check(z.minLength(1), z.maxLength(255)), "*"),
        ),
        prereleases: described(
          "Whether pre-releases are in the range; otherwise only those of a version whose pre-releases the range names, as `>=2.0.0-rc.1` does.",
          z._default(z.boolean(), false),
        ),
      }),
    ),
  ),
  newest: described(
    "Of what is left, only so many. Tags that `include` names in full come in addition.",
    z.optional(
      z.object({
        count: described("How many.", z.int().check(z.gte(1), z.lte(10_000))),
        by: described(
          "What makes one tag newer than another: a higher version, a higher number, or coming later in the alphabet.",
          z._default(z.enum(newestOrders), "Semver"),
        ),
      }),
    ),
  ),
});

/** Which repositories, tags and parts of images are copied. */
export const repositoryRuleSchema = z.object({
  name: described(
    "A repository, or a glob in which `*` stands for anything but `/` and `**` for anything.",
    pattern,
  ),
  tags: described("Which of its tags.", z.prefault(tagSelectionSchema, {})),
  platforms: described(
    "`os/architecture` or `os/architecture/variant`. Empty: every platform.",
    z._default(z.array(pattern).check(z.maxLength(50)), []),
  ),
  maxSizeBytes: described(
    "Images that are bigger are left out: the configurations and layers of the wanted platforms together. Absent: none are.",
    z.optional(z.number().check(z.gte(1), z.lte(Number.MAX_SAFE_INTEGER))),
  ),
  referrers: described(
    "Whether signatures, SBOMs and other referrers of an image come with it, also those by cosign's tags (`sha256-….sig`).",
    z._default(z.boolean(), true),
  ),
  referrerTypes: described(
    "Of these only those whose artifact type, or the media type of one of whose layers, matches one of these globs. Empty: all.",
    z._default(z.array(pattern).check(z.maxLength(50)), []),
  ),
});

export type TagSelection = z.output<typeof tagSelectionSchema>;
export type RepositoryRule = z.output<typeof repositoryRuleSchema>;
