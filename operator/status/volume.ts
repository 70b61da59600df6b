import { seconds } from "../../common/clock.ts";
import type { PersistentVolumeClaim, StorageClass } from "../api/kubernetes.ts";
import { isGrowing } from "../resources/storage.ts";
import { StalledError, WaitingError } from "./errors.ts";

/** What a watch does not tell, such as a new storage class. */
const soon = { retryAfter: seconds(5) };
const later = { retryAfter: seconds(60) };
const defaultClass = "storageclass.kubernetes.io/is-default-class";

/**
 * Whether the volume is there.
 *
 * @throws {WaitingError | StalledError} that says what it waits for
 */
export function expectBound(claim: PersistentVolumeClaim, classes: readonly StorageClass[]): void {
  const { name } = claim.metadata;
  if (claim.status?.phase === "Bound") return;
  if (claim.status?.phase === "Lost") {
    throw new StalledError("VolumeLost", `The volume of the PersistentVolumeClaim "${name}" is gone.`, later);
  }
  const pending = `The PersistentVolumeClaim "${name}" is pending`;
  const { storageClassName } = claim.spec;
  // An empty name asks for a volume that somebody makes.
  const named = storageClassName !== undefined && storageClassName !== "";
  if (named && !classes.some(({ metadata }) => metadata.name === storageClassName)) {
    throw new WaitingError(
      "StorageClassNotFound",
      `${pending}, and there is no storage class "${storageClassName}".`,
      soon,
    );
  }
  const hasDefault = classes.some(({ metadata }) => metadata.annotations?.[defaultClass] === "true");
  if (storageClassName === undefined && !hasDefault) {
    throw new WaitingError(
      "NoStorageClass",
      `${pending}, and the cluster has no default storage class.`,
      soon,
    );
  }
  throw new WaitingError("VolumePending", `${pending}.`, soon);
}

/**
 * Whether the volume has grown as far as it was asked to.
 *
 * @throws {WaitingError | StalledError} if not
 */
export function expectGrown(claim: PersistentVolumeClaim): void {
  const the = `The volume of the PersistentVolumeClaim "${claim.metadata.name}"`;
  const { allocatedResourceStatuses: progress } = claim.status ?? {};
  if (progress?.storage?.endsWith("ResizeInfeasible") === true) {
    throw new StalledError("VolumeResizeFailed", `${the} cannot grow as far as it should.`, later);
  }
  if (isGrowing(claim)) throw new WaitingError("VolumeResizing", `${the} is growing.`);
}

/** Whether a claim that somebody made can hold content. */
export function expectUsable({ metadata, spec }: PersistentVolumeClaim): void {
  const unsuitable = (why: string): StalledError =>
    new StalledError("ClaimUnsuitable", `The PersistentVolumeClaim "${metadata.name}" ${why}.`, later);
  if (spec.volumeMode === "Block") throw unsuitable("is for a device without a file system");
  const { accessModes = [] } = spec;
  if (accessModes.length > 0 && accessModes.every((mode) => mode === "ReadOnlyMany")) {
    throw unsuitable("can only be read");
  }
}
