import * as z from "zod/mini";
import { logLevels } from "../log.ts";
import { contentSettings } from "./content-settings.ts";
import { freshnessRuleSchema, onDemandSchema } from "./demand-settings.ts";
import { described } from "./described.ts";
import { sentenceOf } from "./issues.ts";
import { linkLimitsSchema } from "./link-settings.ts";
import { parentSchema } from "./parent-settings.ts";
import { passwordAlgorithms } from "./password.ts";
import { pruneSchema } from "./prune-settings.ts";
import { scheduleSettings } from "./schedule-settings.ts";
import { repositoryRuleSchema } from "./selection-settings.ts";

/**
 * What the operator tells a registry: the settings in one document, each client token in its own (fifty tokens with
 * five hundred permissions do not fit into one object of a cluster). Standalone, a configuration file holds both.
 * `version` grows when a reader of the previous version would misunderstand; a reader accepts the version before its own.
 */
export const configVersion = 1;

const text = z.string().check(z.minLength(1), z.maxLength(4096));

export const registryModes = ["ReadOnly", "ReadWrite"] as const;
/** What comes of two changes of one tag. */
const conflictPolicies = ["parentWins", "localWins", "keepBoth"] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

export type RegistryMode = (typeof registryModes)[number];

const syncSchema = z.object({
  repositories: described(
    "What is copied from the parent.",
    z.array(repositoryRuleSchema).check(z.maxLength(500)),
  ),
  ...scheduleSettings,
  prune: described(
    "Removal of what the parent has no more, or the rules select no more.",
    z.prefault(pruneSchema, {}),
  ),
  onDemand: described(
    "What is fetched from the parent when a client asks for it.",
    z.prefault(onDemandSchema, {}),
  ),
  freshness: described(
    "Which tags are compared with the parent when they are pulled, or never. Of several rules that are about a tag the first counts; without one, syncs keep it up to date and pulls ask nobody.",
    z._default(z.array(freshnessRuleSchema).check(z.maxLength(100)), []),
  ),
  concurrency: described(
    "How many transfers from the parent may run at once.",
    z._default(z.number().check(z.gte(1), z.lte(64)), 4),
  ),
  conflict: described(
    "What comes of a tag that was changed here and at the parent: theirs stays, ours takes its place, or ours goes up beside it as `<tag>-<name of this registry>-<12 digits of the digest>`.",
    z._default(z.enum(conflictPolicies), "parentWins"),
  ),
  limits: described(
    "What syncs and everything else may take of the link to the parent, together. Clients of the registry are never slowed down.",
    z.prefault(linkLimitsSchema, {}),
  ),
  planRequest: described(
    "Any other value than before asks what a sync would bring, and leave out: see `/status/plan`; the value itself means nothing.",
    z.optional(text),
  ),
  resyncRequest: described(
    "Any other value than before asks for a sync now; the value itself means nothing.",
    z.optional(text),
  ),
});

export const settingsSchema = z.object({
  version: described("Of this document's form.", z.literal(configVersion)),
  name: described("What the registry is called in its log and status.", text),
  mode: described(
    "Whether clients may write, if their tokens allow it.",
    z._default(z.enum(registryModes), "ReadOnly"),
  ),
  loginServers: described(
    "Host names and addresses under which clients reach the registry, the preferred first.",
    z._default(z.array(text), []),
  ),
  parent: described(
    "The registry to sync with. Absent: a root, which syncs with nobody.",
    z.optional(parentSchema),
  ),
  sync: described("What to copy from the parent, and when. Absent: nothing.", z.optional(syncSchema)),
  suspend: described("Suspended, it goes on serving and does not sync.", z._default(z.boolean(), false)),
  drain: described(
    "The registry is to be deleted: clients change nothing any more, and what they changed goes up at once, also while syncs are suspended. Once the parent has it all, the status says this value in `drained`; it means nothing.",
    z.optional(text),
  ),
  logLevel: described("How much is logged.", z._default(z.enum(logLevels), "Information")),
  ...contentSettings,
  clientTokenSecrets: described(
    "The Secrets that hold the client tokens, by name. Only in a cluster.",
    z._default(z.array(text).check(z.maxLength(50)), []),
  ),
  syncTokenSecrets: described(
    "The Secrets that hold the sync tokens of registries that have this one as their parent, by name. Only in a cluster.",
    z._default(z.array(text).check(z.maxLength(1000)), []),
  ),
});

const passwordSchema = z.object({
  name: described("Which of the two it is.", z.enum(["password1", "password2"])),
  algorithm: described(
    "By which function the hash was made; salt and hash are in hexadecimal.",
    z.enum(passwordAlgorithms),
  ),
  salt: described("16 to 64 random bytes.", z.string().check(z.regex(/^[0-9a-f]{32,128}$/))),
  hash: described("32 bytes.", z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  expiry: described("ISO 8601. Absent: never.", z.optional(text)),
});

/** Five for each of 500 repositories, and four for each of 1,000 registries: no token of clients has so many. */
const maxActions = 6500;

export const clientTokenSchema = z.object({
  version: described("Of this form.", z.literal(configVersion)),
  name: described("The user name at login.", text),
  kind: described(
    "Whether a registry that has this one as its parent logs in with it (`sync`), which may have `gateway/<name>/<action>` among its actions. Absent: clients do.",
    z.optional(z.enum(["client", "sync"])),
  ),
  status: described("Disabled, nobody can log in with it.", z.enum(["enabled", "disabled"])),
  passwords: described(
    "Two, so that one can be changed while the other is in use. `connected-registry hash-password` makes one.",
    z.array(passwordSchema).check(z.maxLength(2)),
  ),
  actions: described(
    "What its bearer may do: `repositories/<name>/<action>`, as a scope map of ACR has it.",
    z.array(text).check(z.maxLength(maxActions)),
  ),
});

export type { ParentSettings } from "./parent-settings.ts";
export type { RepositoryRule, TagSelection } from "./selection-settings.ts";
export type SyncSettings = z.output<typeof syncSchema>;
export type RegistrySettings = z.output<typeof settingsSchema>;
export type ClientTokenSettings = z.output<typeof clientTokenSchema>;
/** What the writer must say; the reader fills in the defaults. */
export type RegistrySettingsInput = z.input<typeof settingsSchema>;

/** The Secrets with tokens, those of registries first: of two of one name the first counts. */
export function tokenSecretsIn({
  syncTokenSecrets,
  clientTokenSecrets,
}: RegistrySettings): readonly string[] {
  return [...syncTokenSecrets, ...clientTokenSecrets];
}

/** The keys under which the two documents lie in their Secrets. */
export const settingsKey = "settings.json";
export const clientTokenKey = "token.json";

/** A configuration that cannot be used: every fault, each with its field and what to write instead. */
export class InvalidConfigError extends Error {
  override readonly name = "InvalidConfigError";
  readonly faults: readonly string[];

  constructor(...faults: readonly string[]) {
    super(faults.join("; "));
    this.faults = faults;
  }
}

/** @throws {InvalidConfigError} */
export function parseSettings(value: unknown): RegistrySettings {
  return parse(settingsSchema, value);
}

/** @throws {InvalidConfigError} */
export function parseClientToken(value: unknown): ClientTokenSettings {
  return parse(clientTokenSchema, value);
}

function parse<T extends z.ZodMiniType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value, { error: sentenceOf });
  if (result.success) return result.data;
  throw new InvalidConfigError(
    ...result.error.issues.map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`),
  );
}
