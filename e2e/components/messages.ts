/** Where whoever has the components already says so: folders, separated as in `PATH`. */
export const componentsVariable = "CONNECTED_REGISTRY_COMPONENTS_DIR";

/** `a`, `a and b`, `a, b, and c`. */
export function list(words: readonly string[]): string {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(words);
}
