/** What kind of error it is, also across the realms of Jest. */
export function errorName(error: unknown): string {
  if (typeof error !== "object" || error === null || !("name" in error)) return String(error);
  if ("code" in error) return `${String(error.name)} ${String(error.code)}`;
  return String(error.name);
}
