import * as z from "zod/mini";
import { logLevels } from "../log.ts";
import { contentSettings } from "./content-settings.ts";
import { passwordAlgorithms } from "./password.ts";

/**
 * What the operator tells a registry: the settings in one document, each client token in its own (fifty tokens with
 * five hundred permissions do not fit into one object of a cluster). Standalone, a configuration file holds both.
 * `version` grows when a reader of the previous version would misunderstand; a reader accepts the version before its own.
 */
export const configVersion = 1;

const text = z.string().check(z.minLength(1), z.maxLength(4096));
const pem = z.string().check(z.maxLength(512 * 1024));
const pattern = z.string().check(z.minLength(1), z.maxLength(255));

export const registryModes = ["ReadOnly", "ReadWrite"] as const;
export type RegistryMode = (typeof registryModes)[number];

const parentSchema = z.object({
  /** `host` or `host:port`. */
  loginServer: text,
  protocol: z._default(z.enum(["https", "http"]), "https"),
  /** Certificates that the parent's may be signed by, beside the system's. */
  caBundle: z.optional(pem),
  credentials: z.optional(z.object({ username: text, password: text })),
  /** Hosts, beside the parent's own, whose token service may be shown the credentials (Docker Hub has `auth.docker.io`). */
  tokenHosts: z._default(z.array(text).check(z.maxLength(10)), []),
});

const repositoryRuleSchema = z.object({
  /** A repository name, or a glob in which `*` stands for anything but `/` and `**` for anything. */
  name: pattern,
  tags: z._default(
    z.object({
      /** Globs; a tag is selected if one of them matches… */
      include: z._default(z.array(pattern).check(z.maxLength(100)), ["*"]),
      /** …and none of these does. */
      exclude: z._default(z.array(pattern).check(z.maxLength(100)), []),
    }),
    { include: ["*"], exclude: [] },
  ),
  /** `os/architecture` or `os/architecture/variant`; empty: every platform. */
  platforms: z._default(z.array(pattern).check(z.maxLength(50)), []),
  /** Whether signatures, SBOMs and other referrers of an image come with it. */
  referrers: z._default(z.boolean(), true),
});

const syncSchema = z.object({
  repositories: z.array(repositoryRuleSchema).check(z.maxLength(500)),
  /** Five fields of cron; `* * * * *` means continuously. */
  schedule: z._default(text, "* * * * *"),
  timeZone: z._default(text, "UTC"),
  /** ISO 8601; how long a scheduled sync may run. Without one it runs until it is done. */
  window: z.optional(text),
  /** How long a continuous sync rests between two passes. */
  pollIntervalSeconds: z._default(z.number().check(z.gte(1), z.lte(86_400)), 60),
  /** How many transfers from the parent may run at once. */
  concurrency: z._default(z.number().check(z.gte(1), z.lte(64)), 4),
  /** Changes when a person asks for a sync now; the value itself means nothing. */
  resyncRequest: z.optional(text),
});

const settingsSchema = z.object({
  version: z.literal(configVersion),
  name: text,
  mode: z._default(z.enum(registryModes), "ReadOnly"),
  /** Host names and addresses under which clients reach the registry, the preferred first. */
  loginServers: z._default(z.array(text), []),
  /** Absent: a root registry, which syncs with nobody. */
  parent: z.optional(parentSchema),
  sync: z.optional(syncSchema),
  /** Suspended: goes on serving, does not sync. */
  suspend: z._default(z.boolean(), false),
  logLevel: z._default(z.enum(logLevels), "Information"),
  ...contentSettings,
  /** The Secrets that hold the client tokens, by name; absent outside a cluster. */
  clientTokenSecrets: z._default(z.array(text).check(z.maxLength(50)), []),
});

const passwordSchema = z.object({
  name: z.enum(["password1", "password2"]),
  /** By which function of `password.ts` the hash was made; salt and hash are in hexadecimal. */
  algorithm: z.enum(passwordAlgorithms),
  salt: z.string().check(z.regex(/^[0-9a-f]{32,128}$/)),
  hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** ISO 8601; absent: never. */
  expiry: z.optional(text),
});

const clientTokenSchema = z.object({
  version: z.literal(configVersion),
  /** The user name at login. */
  name: text,
  status: z.enum(["enabled", "disabled"]),
  passwords: z.array(passwordSchema).check(z.maxLength(2)),
  /** In the grammar of `parseScope`. */
  actions: z.array(text).check(z.maxLength(500)),
});

export type ParentSettings = z.output<typeof parentSchema>;
export type RepositoryRule = z.output<typeof repositoryRuleSchema>;
export type SyncSettings = z.output<typeof syncSchema>;
export type RegistrySettings = z.output<typeof settingsSchema>;
export type ClientTokenSettings = z.output<typeof clientTokenSchema>;
/** What the writer must say; the reader fills in the defaults. */
export type RegistrySettingsInput = z.input<typeof settingsSchema>;

/** The keys under which the two documents lie in their Secrets. */
export const settingsKey = "settings.json";
export const clientTokenKey = "token.json";

/** A configuration that cannot be used. Its message lists every fault, with the field. */
export class InvalidConfigError extends Error {
  override readonly name = "InvalidConfigError";
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
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path, message }) => `${path.join(".") || "the document"}: ${message}`,
  );
  throw new InvalidConfigError(faults.join("; "));
}
