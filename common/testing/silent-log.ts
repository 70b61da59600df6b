import type { Logger } from "../log.ts";

/** Takes every line and keeps none. */
export const silentLog: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  debugs: false,
  with: () => silentLog,
};
