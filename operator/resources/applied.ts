import { createHash } from "node:crypto";
import type { KubeObject } from "../runtime/kube.ts";
import { parseQuantity } from "../../common/quantity.ts";

/** What was applied last, as a hash: tells that a field is to be removed, which the live object cannot tell. */
const appliedAnnotation = "connectedregistry.io/applied";

/** `desired` with the annotation that `isApplied` looks for. */
export function stamped<T extends KubeObject>(desired: T): T {
  const annotations = { ...desired.metadata.annotations, [appliedAnnotation]: hashOf(desired) };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/**
 * Whether applying `desired`, which is stamped, would change nothing: `live` says all that it says. Lists have the same
 * length, objects may have more than is wanted: the API server fills in defaults. And it leaves out what says nothing.
 */
export function isApplied(live: unknown, desired: unknown): boolean {
  if (desired === undefined || desired === null) return true;
  if (live === undefined && isNothing(desired)) return true;
  if (Array.isArray(desired)) {
    return (
      Array.isArray(live) &&
      live.length === desired.length &&
      desired.every((item, at) => isApplied(live[at], item))
    );
  }
  if (typeof desired === "object") {
    if (typeof live !== "object" || live === null) return Object.keys(desired).length === 0;
    return Object.entries(desired).every(([key, item]) =>
      isApplied((live as Record<string, unknown>)[key], item),
    );
  }
  return live === desired || sameQuantity(live, desired);
}

/** Where a default would not be this, the API server fills it in: what is missing has no other. */
function isNothing(desired: unknown): boolean {
  return Array.isArray(desired) ? desired.length === 0 : nothings.has(desired);
}

const nothings: ReadonlySet<unknown> = new Set(["", 0, false]);

/** Stable: the order of keys does not matter. */
function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** The API server writes `1024Mi` as `1Gi`. */
function sameQuantity(a: unknown, b: unknown): boolean {
  if (typeof a !== "string" || typeof b !== "string") return false;
  const number = parseQuantity(a);
  return number !== undefined && number === parseQuantity(b);
}
