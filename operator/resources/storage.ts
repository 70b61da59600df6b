import { parseQuantity } from "../../common/quantity.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { PersistentVolumeClaim } from "../api/kubernetes.ts";
import { StalledError } from "../status/errors.ts";
import { claimName, ownedMeta } from "./names.ts";
import { expectOwnContent, ownerAnnotations } from "./volume-owner.ts";

const usualAccessMode = "ReadWriteOnce";

/** The name of the claim that the registry keeps its content on: its own, or one that somebody made. */
export function claimOf({ metadata, spec }: ConnectedRegistry): string {
  return spec.storage.existingClaim ?? claimName(metadata.name);
}

/** Whether the volume stays when the registry is deleted: what clients pushed may be nowhere else. */
function retainsVolume({ spec }: ConnectedRegistry): boolean {
  return spec.storage.retainOnDelete ?? spec.mode === "ReadWrite";
}

/**
 * The registry's own claim. Without an owner if it is to outlive the registry.
 *
 * @param live what there is; a claim that a registry left behind may be larger than ours needs to be
 * @param canGrow whether its storage class lets it
 * @throws {StalledError} if what there is can never become what the spec wants
 */
export function desiredClaim(
  registry: ConnectedRegistry,
  live: PersistentVolumeClaim | undefined,
  canGrow: boolean,
): PersistentVolumeClaim {
  const { size, storageClassName, accessMode = usualAccessMode } = registry.spec.storage;
  const { ownerReferences, ...metadata } = ownedMeta(registry, claimName(registry.metadata.name));
  if (live !== undefined) {
    expectOwnContent(registry, live);
    expectFitting(registry, live);
  }
  const storage = live === undefined || (canGrow && needsGrowth(registry, live)) ? size : requestOf(live);
  // What a claim was made with cannot change, and leaving it out would be a change.
  const storageClass = live?.spec.storageClassName ?? storageClassName;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...metadata,
      annotations: ownerAnnotations(registry),
      ...(retainsVolume(registry) || ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec: {
      accessModes: [accessMode],
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      resources: { requests: { storage: storage ?? size } },
    },
  };
}

/** Whether the volume is smaller than the spec wants it, and nobody has asked for more yet. */
export function needsGrowth({ spec }: ConnectedRegistry, claim: PersistentVolumeClaim): boolean {
  const present = Math.max(bytesOf(requestOf(claim)), bytesOf(capacityOf(claim)));
  return claim.status?.phase === "Bound" && bytesOf(spec.storage.size) > present;
}

/** How much the volume really has, once that is known. */
export function capacityOf({ status }: PersistentVolumeClaim): string | undefined {
  return status?.phase === "Bound" ? status.capacity?.storage : undefined;
}

/** How much is asked for. */
function requestOf({ spec }: PersistentVolumeClaim): string | undefined {
  return spec.resources?.requests?.storage;
}

/** Whether the volume was asked to grow and has not done so yet. */
export function isGrowing(claim: PersistentVolumeClaim): boolean {
  const capacity = capacityOf(claim);
  return capacity !== undefined && bytesOf(requestOf(claim)) > bytesOf(capacity);
}

function expectFitting({ spec }: ConnectedRegistry, live: PersistentVolumeClaim): void {
  const { storageClassName, accessMode = usualAccessMode } = spec.storage;
  const { storageClassName: itsClass, accessModes = [] } = live.spec;
  const differs = (what: string): StalledError =>
    new StalledError(
      "VolumeDiffers",
      `The PersistentVolumeClaim "${live.metadata.name}" was made with ${what}.`,
    );
  if (storageClassName !== undefined && itsClass !== undefined && itsClass !== storageClassName) {
    throw differs(`the storage class "${itsClass}", not with "${storageClassName}"`);
  }
  if (accessModes.length > 0 && (accessModes.length > 1 || accessModes[0] !== accessMode)) {
    throw differs(`the access mode ${accessModes.join(", ")}, not with ${accessMode}`);
  }
}

/** Zero for what is not there. */
function bytesOf(quantity: string | undefined): number {
  return (quantity === undefined ? undefined : parseQuantity(quantity)) ?? 0;
}
