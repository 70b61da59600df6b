import winston from "winston";
import { messageOf } from "./errors.ts";

/** Structured logging: a stable sentence, and its data as fields. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Whether `debug` writes anything: for those who would gather much for nothing. */
  readonly debugs: boolean;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

type LogFields = Readonly<Record<string, unknown>>;

/** ACR's log levels (`logging.logLevel`), from the most to the least. */
export const logLevels = ["Debug", "Information", "Warning", "Error", "None"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Changes a running logger's level. */
export interface LogControl {
  readonly logger: Logger;
  setLevel(level: LogLevel): void;
}

const winstonLevels: Readonly<Record<Exclude<LogLevel, "None">, string>> = {
  Debug: "debug",
  Information: "info",
  Warning: "warn",
  Error: "error",
};

const secretKey = /password|passwd|secret|token|authorization|cookie|credential|private.?key|\bauth\b/i;
const secretInUrl = /(\/\/[^/\s:@]*:)[^@/\s]+@/g;
const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]+/g;

/** `value` as it may be written to a log: credentials are replaced, by the name of their key or by their shape. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.replace(secretInUrl, "$1***@").replace(bearer, "$1 ***");
  if (typeof value !== "object" || value === null) return value;
  if (depth > 6) return "…";
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  const fields = isErrorLike(value) ? { message: messageOf(value), ...errorData(value) } : value;
  return Object.fromEntries(
    Object.entries(fields).map(([key, item]) => [
      key,
      secretKey.test(key) && typeof item === "string" ? "***" : redact(item, depth + 1),
    ]),
  );
}

function isErrorLike(value: object): value is { message: string; stack: string; name: string } {
  return "message" in value && "stack" in value && typeof value.stack === "string";
}

function errorData(error: { name: string; stack: string }): LogFields {
  const { cause } = error as { cause?: unknown };
  const code = "code" in error ? { code: error.code } : {};
  return { name: error.name, ...code, ...(cause === undefined ? {} : { cause }), stack: error.stack };
}

/** A logger that writes one JSON object per line to `stream` (`time`, `level`, `message`, then the fields). */
export function createLog(program: string, level: LogLevel, stream: NodeJS.WritableStream): LogControl {
  const backend = winston.createLogger({
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.printf(({ timestamp, level: severity, message, fields }) =>
        JSON.stringify({
          time: timestamp,
          level: severity,
          program,
          message,
          ...(redact(fields ?? {}) as LogFields),
        }),
      ),
    ),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own type of its own class
    transports: [new winston.transports.Stream({ stream })],
  });
  const control: LogControl = {
    logger: wrap(backend, {}),
    setLevel(next) {
      backend.silent = next === "None";
      if (next !== "None") backend.level = winstonLevels[next];
    },
  };
  control.setLevel(level);
  return control;
}

function wrap(backend: winston.Logger, bound: LogFields): Logger {
  const write = (severity: string) => (message: string, fields?: LogFields) => {
    // winston itself notices late, when it has already made a line of it.
    if (!backend.isLevelEnabled(severity)) return;
    backend.log(severity, message, { fields: { ...bound, ...fields } });
  };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    get debugs() {
      return backend.level === "debug" && !backend.silent;
    },
    with: (fields) => wrap(backend, { ...bound, ...fields }),
  };
}
