import { parseAddress, type ListenAddress } from "../common/address.ts";
import { registryModes, InvalidConfigError, type RegistryMode } from "../common/contract/config.ts";
import { logLevels, type LogLevel } from "../common/log.ts";
import { anonymousGrammar, parseAnonymousAccess, type AnonymousAccess } from "./auth/anonymous.ts";
import type { Encryption } from "./http/encryption.ts";

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
  /** Holds where there is no settings document. */
  readonly mode: RegistryMode;
  readonly encryption: Encryption;
  readonly anonymous: AnonymousAccess;
  readonly configFile?: string;
  readonly cluster?: ClusterIdentity;
  /** Overrides the settings'. */
  readonly logLevel?: LogLevel;
}

/** Options as they come from the command line or the environment. */
export type ServeOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Every option of `serve`: the table from which `--help` and the environment variables are made. */
export const serveOptions = [
  {
    name: "listen",
    value: "HOST:PORT",
    default: "127.0.0.1:5000",
    text: "where to serve; port 0: any free one",
  },
  {
    name: "data",
    value: "DIR",
    default: "/var/lib/connected-registry",
    text: "where content and keys are kept",
  },
  {
    name: "mode",
    value: "MODE",
    default: "ReadWrite",
    text: "ReadOnly or ReadWrite; a --config file overrides it",
  },
  { name: "http", text: "serve in the clear: no TLS" },
  {
    name: "anonymous",
    value: "ACCESS",
    default: "none",
    text: `what clients may do without logging in: ${anonymousGrammar}`,
  },
  { name: "tls-cert", value: "FILE", text: "the certificate chain, in PEM; read again when it changes" },
  { name: "tls-key", value: "FILE", text: "the certificate's key, in PEM" },
  { name: "config", value: "FILE", text: "settings document, JSON or YAML; read again when it changes" },
  {
    name: "probes",
    value: "HOST:PORT",
    default: "127.0.0.1:5001",
    text: "where /livez, /readyz, /metrics and /status are served",
  },
  { name: "cluster", value: "NAMESPACE/NAME", text: "serve as the pod of this ConnectedRegistry" },
  {
    name: "log-level",
    value: "LEVEL",
    text: "Debug, Information, Warning, Error or None; overrides the settings'",
  },
] as const satisfies readonly { name: string; value?: string; default?: string; text: string }[];

type OptionName = (typeof serveOptions)[number]["name"];

/** @throws {InvalidConfigError} that names every fault, with the option and what would be right */
export function parseServeConfig(options: ServeOptions): ServeConfig {
  const read = new OptionReader(options);
  const { faults } = read;
  const cluster = read.text("cluster");
  const identity = cluster === undefined ? undefined : parseCluster(cluster);
  if (cluster !== undefined && identity === undefined) faults.push("--cluster: write NAMESPACE/NAME");
  const data = read.text("data");
  if (data === undefined) faults.push("--data: name a directory");
  const configFile = read.text("config");
  const logLevel = read.choice("log-level", logLevels);
  const config: ServeConfig = {
    listen: read.address("listen"),
    probes: read.address("probes"),
    data: data ?? "",
    mode: read.choice("mode", registryModes) ?? "ReadWrite",
    encryption: encryptionOf(options.http === true, read.text("tls-cert"), read.text("tls-key"), faults),
    anonymous: read.anonymous(),
    ...(configFile === undefined ? {} : { configFile }),
    ...(identity === undefined ? {} : { cluster: identity }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
  if (faults.length > 0) throw new InvalidConfigError(faults.join("; "));
  return config;
}

/** Reads options, and collects what is wrong with them. */
class OptionReader {
  readonly faults: string[] = [];
  private readonly options: ServeOptions;

  constructor(options: ServeOptions) {
    this.options = options;
  }

  text(option: OptionName): string | undefined {
    const value = this.options[option.replace(/-(.)/g, (_all, letter: string) => letter.toUpperCase())];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  choice<T extends string>(option: OptionName, allowed: readonly T[]): T | undefined {
    const value = this.text(option);
    const found = allowed.find((each) => each === value);
    if (value !== undefined && found === undefined) {
      this.faults.push(`--${option}: "${value}" is not one of ${allowed.join(", ")}`);
    }
    return found;
  }

  anonymous(): AnonymousAccess {
    const actions = parseAnonymousAccess(this.text("anonymous") ?? "none");
    if (actions === undefined) this.faults.push(`--anonymous: write ${anonymousGrammar}`);
    return actions ?? [];
  }

  address(option: OptionName): ListenAddress {
    const address = parseAddress(this.text(option) ?? "");
    if (address !== undefined) return address;
    this.faults.push(`--${option}: write HOST:PORT, such as 127.0.0.1:5000 or [::]:5000`);
    return { host: "", port: 0 };
  }
}

function parseCluster(text: string): ClusterIdentity | undefined {
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

function encryptionOf(
  http: boolean,
  cert: string | undefined,
  key: string | undefined,
  faults: string[],
): Encryption {
  if (http) {
    if (cert !== undefined || key !== undefined) {
      faults.push("--http: leave it out, or leave out --tls-cert and --tls-key");
    }
    return { kind: "none" };
  }
  if (cert === undefined && key === undefined) return { kind: "selfSigned" };
  if (cert === undefined) faults.push("--tls-cert: is needed beside --tls-key");
  if (key === undefined) faults.push("--tls-key: is needed beside --tls-cert");
  return { kind: "files", cert: cert ?? "", key: key ?? "" };
}
