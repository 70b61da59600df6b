import type { Condition } from "./conditions.ts";

/** ACR's words for how far an object is what it should be. */
export type ProvisioningState = "Creating" | "Updating" | "Deleting" | "Succeeded" | "Failed";

/** The kinds of whose objects ACR says it. */
const kinds: ReadonlySet<string> = new Set(["ConnectedRegistry", "ScopeMap", "ClientToken"]);

/**
 * What `conditions` come to; `undefined` for a kind without such a state. An object is Creating until it was ready, or
 * was found wrong, for the first time.
 *
 * @param before what was said of it last
 */
export function provisioningStateOf(
  { kind, metadata }: { readonly kind: string; readonly metadata: { readonly deletionTimestamp?: string } },
  conditions: readonly Condition[],
  before: string | undefined,
): ProvisioningState | undefined {
  if (!kinds.has(kind)) return undefined;
  if (metadata.deletionTimestamp !== undefined) return "Deleting";
  const holds = (type: string): boolean =>
    conditions.some((condition) => condition.type === type && condition.status === "True");
  if (holds("Ready")) return "Succeeded";
  if (holds("Stalled")) return "Failed";
  return before === undefined || before === "Creating" ? "Creating" : "Updating";
}
