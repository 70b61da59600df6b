/** One option of `serve`. */
interface ServeOption {
  readonly name: string;
  readonly group: keyof typeof optionGroups;
  /** What stands for its value; a switch has none. */
  readonly value?: string;
  readonly default?: string;
  /** The key of the settings document that it overrides. */
  readonly setting?: string;
  readonly text: string;
}

/** Where content is kept if nobody says where. */
export const defaultData = "/var/lib/connected-registry";

/** The groups in which `--help` and the reference show the options. */
export const optionGroups = {
  serving: "Serving:",
  access: "Access:",
  content: "Content:",
  settings: "Settings document:",
  operation: "Operation:",
};

/**
 * Every option of `serve`: the table from which `--help`, the environment variables and the reference of settings are
 * made. One with a `setting` overrides the settings document, and takes the bounds and the default from its schema.
 */
export const serveOptions = [
  {
    name: "listen",
    group: "serving",
    value: "HOST:PORT",
    default: "127.0.0.1:5000",
    text: "where to serve; port 0: any free one",
  },
  { name: "http", group: "serving", text: "serve in the clear: no TLS" },
  {
    name: "tls-cert",
    group: "serving",
    value: "FILE",
    text: "the certificate chain, in PEM; read again when it changes. Absent: one is made and kept in the data",
  },
  { name: "tls-key", group: "serving", value: "FILE", text: "the certificate's key, in PEM; likewise" },
  {
    name: "max-connections",
    group: "serving",
    value: "NUMBER",
    default: "1000",
    text: "how many connections there may be at once; more are refused",
  },
  {
    name: "anonymous",
    group: "access",
    value: "ACCESS",
    default: "none",
    text: "what clients may do without logging in: none, read, write, or actions such as content/read,metadata/read",
  },
  {
    name: "mode",
    group: "access",
    value: "MODE",
    setting: "mode",
    text: "ReadOnly or ReadWrite; ReadWrite where there is no settings document",
  },
  {
    name: "delete",
    group: "access",
    value: "on|off",
    setting: "deleteEnabled",
    text: "whether clients may delete",
  },
  {
    name: "audit",
    group: "access",
    value: "on|off",
    setting: "audit.enabled",
    text: "whether it is logged who did what",
  },
  {
    name: "data",
    group: "content",
    value: "DIR",
    default: defaultData,
    text: "where content and keys are kept",
  },
  {
    name: "storage-quota",
    group: "content",
    value: "SIZE",
    setting: "storageQuotaBytes",
    text: "upper bound of all stored content, such as 500Gi",
  },
  {
    name: "gc",
    group: "content",
    value: "on|off",
    setting: "garbageCollection.enabled",
    text: "whether content that nothing refers to is removed",
  },
  {
    name: "gc-schedule",
    group: "content",
    value: "CRON",
    setting: "garbageCollection.schedule",
    text: "when, in five cron fields, in UTC",
  },
  {
    name: "scrub",
    group: "content",
    value: "on|off",
    setting: "scrub.enabled",
    text: "whether stored content is checked against its digests",
  },
  {
    name: "config",
    group: "settings",
    value: "FILE",
    text: "settings document, JSON or YAML; read again when it changes",
  },
  {
    name: "cluster",
    group: "settings",
    value: "NAMESPACE/NAME",
    text: "serve as the pod of this ConnectedRegistry",
  },
  {
    name: "probes",
    group: "operation",
    value: "HOST:PORT",
    default: "127.0.0.1:5001",
    text: "where /livez, /readyz, /metrics and /status are served",
  },
  {
    name: "log-level",
    group: "operation",
    value: "LEVEL",
    setting: "logLevel",
    text: "Debug, Information, Warning, Error or None",
  },
  {
    name: "grace-period",
    group: "operation",
    value: "SECONDS",
    default: "20",
    text: "how long running requests may take to end when told to stop; a pod's own period should be longer",
  },
] as const satisfies readonly ServeOption[];

export type OptionName = (typeof serveOptions)[number]["name"];

/** The environment variable that stands for an option. */
export function environmentName(option: string): string {
  return `CONNECTED_REGISTRY_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** Under which name commander hands over an option. */
export function propertyName(option: string): string {
  return option.replace(/-(.)/g, (_all, letter: string) => letter.toUpperCase());
}
