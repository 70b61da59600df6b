/** The message of anything that was thrown. Works across realms, where `instanceof Error` does not. */
export function messageOf(error: unknown): string {
  if (
    typeof error === "object" &&
    error !== null &&
    "message" in error &&
    typeof error.message === "string"
  ) {
    return error.message;
  }
  return String(error);
}

/** Whether `error` is a system error with this code, such as `ENOENT`. Works across realms. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
