import { createHash } from "node:crypto";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { keyOf, keyText } from "../runtime/kube.ts";
import { childAnnotation, ownedMeta, syncTokenLabel } from "./names.ts";

/** How many repositories, or patterns of them, a scope map of ACR has at most. */
export const maxPatterns = 500;

/**
 * The sync token of `child` at `parent`, of which we own nothing but that it is there: whether it works is its owner's
 * to say. It goes with the parent.
 */
export function desiredSyncToken(parent: ConnectedRegistry, child: ConnectedRegistry): ClientToken {
  const metadata = ownedMeta(parent, child.metadata.name);
  return {
    apiVersion: ClientTokenKind.apiVersion,
    kind: ClientTokenKind.kind,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [syncTokenLabel]: child.metadata.name },
      annotations: { [childAnnotation]: keyText(keyOf(child)) },
    },
    // The API server fills in the rest, and nobody owns it until somebody changes it.
    spec: {} as ClientToken["spec"],
  };
}

/** Whether `token` was made for `child` at `parent`, rather than by somebody for something else (S31). */
export function isSyncToken(
  { metadata }: ClientToken,
  parent: ConnectedRegistry,
  child: ConnectedRegistry,
): boolean {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return (
    owner?.uid === parent.metadata.uid && metadata.annotations?.[childAnnotation] === keyText(keyOf(child))
  );
}

/** What stands for `actions` in the settings of the child: another value for others. */
export function scopeMark(actions: readonly string[]): string {
  return createHash("sha256").update(actions.join("\n")).digest("hex").slice(0, 16);
}
