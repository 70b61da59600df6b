import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";

/** Holds a registry back from its deletion until nothing is lost by it. */
export const holdFinalizer = "connectedregistry.io/hold";

/** `yes`: what clients changed and the parent does not have may be lost. */
export const giveUpAnnotation = "connectedregistry.io/give-up-changes";

/** Kubernetes' own: the parts of the object are deleted before the object, whoever holds that. */
export const foregroundFinalizer = "foregroundDeletion";

/**
 * Whether a deletion of `registry` might cost somebody something: its `children` their parent, or clients what they push, or
 * pushed, and is on its way to the parent.
 */
export function needsHold(registry: ConnectedRegistry, children: readonly ConnectedRegistry[]): boolean {
  const { parent, mode } = registry.spec;
  if (children.length > 0) return true;
  return parent !== undefined && (mode === "ReadWrite" || unsentIn(registry) > 0);
}

/** How many changes of clients the parent does not have, as far as the registry has said. */
export function unsentIn({ status }: ConnectedRegistry): number {
  return (status?.up?.pending ?? 0) + (status?.up?.setAside ?? 0);
}

/**
 * What the registry is asked to answer once everything is at the parent: another word for each deletion. Nothing as long as
 * there are `children`, whose changes it takes.
 */
export function drainOf(
  { metadata }: ConnectedRegistry,
  children: readonly ConnectedRegistry[],
): string | undefined {
  const { deletionTimestamp, uid = "" } = metadata;
  return deletionTimestamp === undefined || children.length > 0
    ? undefined
    : `${deletionTimestamp}/${uid.slice(0, 8)}`;
}
