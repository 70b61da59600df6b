import type { ListenAddress } from "../../common/address.ts";
import { configVersion, InvalidConfigError, parseSettings } from "../../common/contract/config.ts";
import { anonymousGrammar, parseAnonymousAccess, type AnonymousAccess } from "../auth/anonymous.ts";
import type { Encryption } from "../http/encryption.ts";
import { OptionReader, type ServeOptions } from "./option-reader.ts";
import { serveOptions } from "./options.ts";
import type { SettingsOverrides } from "./overrides.ts";
import { proxyOf } from "../remote/proxy.ts";

/** The object of the cluster whose registry this is. */
export interface ClusterIdentity {
  readonly namespace: string;
  readonly name: string;
}

/** What a registry process is told at its start, and what no change of settings alters. */
export interface ServeConfig {
  readonly listen: ListenAddress;
  readonly probes: ListenAddress;
  readonly data: string;
  readonly encryption: Encryption;
  readonly anonymous: AnonymousAccess;
  readonly maxConnections: number;
  readonly graceSeconds: number;
  readonly cluster?: ClusterIdentity;
  /** What counts whatever the settings document says. */
  readonly overrides: SettingsOverrides;
}

/**
 * @param fromEnvironment whether a property of `options` comes from there
 * @param environment where proxies are looked up
 * @throws {InvalidConfigError} that names every fault, with the option and what would be right
 */
export function parseServeConfig(
  options: ServeOptions,
  fromEnvironment: (property: string) => boolean = () => false,
  environment: Readonly<Record<string, string | undefined>> = {},
): ServeConfig {
  const read = new OptionReader(options, fromEnvironment);
  const cluster = read.parsed("cluster", parseCluster, "write NAMESPACE/NAME");
  const data = read.text("data");
  if (data === undefined) read.fault("data", "name a directory");
  const config: ServeConfig = {
    listen: read.address("listen"),
    probes: read.address("probes"),
    data: data ?? "",
    encryption: encryptionOf(read),
    anonymous: read.parsed("anonymous", parseAnonymousAccess, `write ${anonymousGrammar}`) ?? [],
    maxConnections: read.number("max-connections", 10, 1_000_000),
    graceSeconds: read.number("grace-period", 0, 86_400),
    ...(cluster === undefined ? {} : { cluster }),
    overrides: {
      ...overridesOf(read),
      proxies: { https: proxyOf(environment, "https"), http: proxyOf(environment, "http") },
    },
  };
  if (read.faults.length > 0) throw new InvalidConfigError(...read.faults);
  return config;
}

/** They are judged by the schema of the settings: it alone knows what is right. */
function overridesOf(read: OptionReader): Omit<SettingsOverrides, "proxies"> {
  const given = {
    mode: read.text("mode"),
    logLevel: read.text("log-level"),
    deleteEnabled: read.onOff("delete"),
    storageQuotaBytes: read.size("storage-quota"),
    audit: { enabled: read.onOff("audit") },
    garbageCollection: { enabled: read.onOff("gc"), schedule: read.text("gc-schedule") },
    scrub: { enabled: read.onOff("scrub") },
  };
  try {
    parseSettings({ version: configVersion, name: "options", ...given });
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    for (const fault of error.faults) {
      const [path = "", ...sentence] = fault.split(": ");
      const option = serveOptions.find((each) => "setting" in each && each.setting === path);
      if (option !== undefined) read.fault(option.name, sentence.join(": "));
    }
  }
  return given as Omit<SettingsOverrides, "proxies">;
}

function parseCluster(text: string): ClusterIdentity | undefined {
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

function encryptionOf(read: OptionReader): Encryption {
  const cert = read.text("tls-cert");
  const key = read.text("tls-key");
  if (read.given("http")) {
    if (cert !== undefined || key !== undefined) {
      read.fault("http", "leave it out, or leave out --tls-cert and --tls-key");
    }
    return { kind: "none" };
  }
  if (cert === undefined && key === undefined) return { kind: "selfSigned" };
  if (cert === undefined) read.fault("tls-cert", "is needed beside --tls-key");
  if (key === undefined) read.fault("tls-key", "is needed beside --tls-cert");
  return { kind: "files", cert: cert ?? "", key: key ?? "" };
}
