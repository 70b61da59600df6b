import { seconds } from "../../common/clock.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import {
  PersistentVolumeClaimKind,
  StorageClassKind,
  type PersistentVolumeClaim,
} from "../api/kubernetes.ts";
import { isApplied } from "../resources/applied.ts";
import { labelsOf } from "../resources/names.ts";
import { claimOf, desiredClaim, needsGrowth } from "../resources/storage.ts";
import type { KubeClient, KubeObject } from "../runtime/kube.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import { expectBound, expectGrown, expectUsable } from "../status/volume.ts";
import { attempt, ensure } from "./ensure.ts";
import type { Relations } from "./relations.ts";

interface Tools {
  readonly client: KubeClient;
  readonly relations: Pick<Relations, "registriesOnVolumeOf">;
}

/** Nothing tells us of objects that are not ours. */
const unwatched = seconds(5);
const mayBeMended = seconds(60);

/**
 * Makes the claim on the volume, or finds the one that somebody made. A volume that cannot grow is used as it is.
 *
 * @returns `undefined` if there is none that this registry may use
 */
export async function prepareStorage(
  tools: Tools,
  registry: ConnectedRegistry,
  findings: Finding[],
): Promise<PersistentVolumeClaim | undefined> {
  const found = await attempt(findings, () => findClaim(tools, registry));
  if (found === undefined) return undefined;
  const { live, desired } = found;
  if (desired === undefined) return live;
  const made = await attempt(findings, () => ensure(tools.client, PersistentVolumeClaimKind, desired));
  return made ?? (live !== undefined && isOurs(live, registry) ? live : undefined);
}

/** @throws {WaitingError | StalledError} if the volume is not there, or not as the spec wants it */
export async function observeStorage(
  { client }: Tools,
  registry: ConnectedRegistry,
  claim: PersistentVolumeClaim,
): Promise<Finding> {
  const { name } = claim.metadata;
  const bound = claim.status?.phase === "Bound";
  expectBound(claim, bound ? [] : await client.list(StorageClassKind));
  if (registry.spec.storage.existingClaim === undefined) {
    expectGrown(claim);
    if (needsGrowth(registry, claim) && !(await isExpandable(client, claim))) {
      const fact = `The volume of the PersistentVolumeClaim "${name}" is smaller than ${registry.spec.storage.size}, and its storage class lets no volume grow.`;
      throw new StalledError("VolumeNotExpandable", fact, { retryAfter: mayBeMended });
    }
  }
  return { kind: "fine", reason: "VolumeBound", message: `The PersistentVolumeClaim "${name}" is bound.` };
}

/**
 * What there is, and what there should be: nothing, of a claim that somebody made.
 *
 * @throws {WaitingError | StalledError} if this registry may not use it
 */
async function findClaim(
  { client, relations }: Tools,
  registry: ConnectedRegistry,
): Promise<{ readonly live?: PersistentVolumeClaim; readonly desired?: PersistentVolumeClaim }> {
  const name = claimOf(registry);
  expectUnshared(registry, relations.registriesOnVolumeOf(registry));
  const { namespace = "" } = registry.metadata;
  const live = await client.get(PersistentVolumeClaimKind, { namespace, name });
  if (registry.spec.storage.existingClaim === undefined) {
    const canGrow = live !== undefined && needsGrowth(registry, live) && (await isExpandable(client, live));
    const desired = desiredClaim(registry, live, canGrow);
    return live === undefined ? { desired } : { live, desired };
  }
  if (live === undefined) {
    const fact = `There is no PersistentVolumeClaim "${name}" in this namespace.`;
    throw new WaitingError("ClaimNotFound", fact, { retryAfter: unwatched });
  }
  expectUsable(live);
  return { live };
}

/** Of several registries on one volume the oldest has it: two that write would destroy each other's content. */
function expectUnshared(registry: ConnectedRegistry, all: readonly ConnectedRegistry[]): void {
  const [oldest] = [...all].sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  if (oldest === undefined || oldest.metadata.name === registry.metadata.name) return;
  const fact = `The PersistentVolumeClaim "${claimOf(registry)}" is in use by the ConnectedRegistry "${oldest.metadata.name}".`;
  throw new StalledError("ClaimShared", fact);
}

function ageOf({ metadata }: ConnectedRegistry): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.name}`;
}

async function isExpandable(client: KubeClient, { spec }: PersistentVolumeClaim): Promise<boolean> {
  const classes = await client.list(StorageClassKind);
  return classes.some(
    ({ metadata, allowVolumeExpansion }) =>
      metadata.name === spec.storageClassName && allowVolumeExpansion === true,
  );
}

function isOurs({ metadata }: KubeObject, registry: ConnectedRegistry): boolean {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return (
    isApplied(metadata.labels, labelsOf(registry.metadata.name)) &&
    (owner === undefined || owner.uid === registry.metadata.uid)
  );
}
