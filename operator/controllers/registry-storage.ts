import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { PersistentVolumeClaimKind, StorageClassKind, type PersistentVolumeClaim } from "../api/kubernetes.ts";
import { desiredClaim } from "../resources/storage.ts";
import type { KubeClient } from "../runtime/kube.ts";
import type { Finding } from "../status/summarize.ts";
import { expectBound } from "../status/workload.ts";
import { ensure } from "./ensure.ts";

interface Tools {
  readonly client: KubeClient;
}

/** Makes the claim on the volume. */
export function applyStorage({ client }: Tools, registry: ConnectedRegistry): Promise<PersistentVolumeClaim> {
  return ensure(client, PersistentVolumeClaimKind, desiredClaim(registry));
}

/** @throws {WaitingError | StalledError} if the volume is not there */
export async function observeStorage({ client }: Tools, claim: PersistentVolumeClaim): Promise<Finding> {
  const bound = claim.status?.phase === "Bound";
  expectBound(claim, bound ? [] : await client.list(StorageClassKind));
  return {
    kind: "fine",
    reason: "VolumeBound",
    message: `The PersistentVolumeClaim "${claim.metadata.name}" is bound.`,
  };
}
