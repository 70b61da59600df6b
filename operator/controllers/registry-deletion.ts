import { seconds } from "../../common/clock.ts";
import { few } from "../../common/few.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { NamespaceKind, PersistentVolumeClaimKind } from "../api/kubernetes.ts";
import {
  drainOf,
  foregroundFinalizer,
  giveUpAnnotation,
  holdFinalizer,
  needsHold,
  unsentIn,
} from "../resources/deletion.ts";
import { claimName } from "../resources/names.ts";
import type { EventRecorder } from "../runtime/events.ts";
import { hold, isHeld, letGo } from "../runtime/finalizer.ts";
import { keyOf, keyText, type KubeClient } from "../runtime/kube.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import { accepted, attempt } from "./ensure.ts";

interface Tools {
  readonly client: KubeClient;
  readonly events: EventRecorder;
}

/** That the namespace goes, too, is told by no watch. */
const again = { retryAfter: seconds(10) };

/**
 * Sees to it that `registry` is held back from a deletion if, and only if, something might be lost by one.
 *
 * @param children those that were let in below it
 * @returns the registry as it is then
 */
export async function prepareDeletion(
  { client }: Tools,
  registry: ConnectedRegistry,
  children: readonly ConnectedRegistry[],
  findings: Finding[],
): Promise<ConnectedRegistry> {
  if (registry.metadata.deletionTimestamp !== undefined) return registry;
  const change = needsHold(registry, children) ? hold : letGo;
  const changed = await attempt(findings, () =>
    accepted(registry, () => change(client, ConnectedRegistryKind, registry, holdFinalizer)),
  );
  return changed ?? registry;
}

/**
 * Lets `registry`, which is to be deleted, go unless something would be lost.
 *
 * @returns why it is held; `undefined`: it goes, as far as we are concerned
 */
export async function holdUp(
  tools: Tools,
  registry: ConnectedRegistry,
  children: readonly ConnectedRegistry[],
): Promise<Finding | undefined> {
  if (!isHeld(registry, holdFinalizer)) return undefined;
  const error = await reasonToHold(tools, registry, children);
  if (error !== undefined) return { kind: "fault", error };
  await letGo(tools.client, ConnectedRegistryKind, registry, holdFinalizer);
  return undefined;
}

async function reasonToHold(
  { client, events }: Tools,
  registry: ConnectedRegistry,
  children: readonly ConnectedRegistry[],
): Promise<WaitingError | StalledError | undefined> {
  const error = children.length > 0 ? hasChildren(registry, children) : await hasChanges(client, registry);
  if (error === undefined) return undefined;
  if (isHeld(registry, foregroundFinalizer)) {
    // Its pod is deleted already, and would be again: it serves nobody, and nothing can go up any more.
    if (unsentIn(registry) > 0) {
      events.record(registry, {
        ...{ type: "Warning", reason: "DeletedWithUnsentChanges", action: "Delete" },
        note: "It was deleted in the foreground: changes that the parent does not have are lost, unless its volume stays.",
      });
    }
    return undefined;
  }
  return (await isNamespaceGoing(client, registry)) ? undefined : error;
}

function hasChildren({ metadata }: ConnectedRegistry, children: readonly ConnectedRegistry[]): StalledError {
  const names = children.map((child) =>
    child.metadata.namespace === metadata.namespace ? child.metadata.name : keyText(keyOf(child)),
  );
  return new StalledError("HasChildren", `It is the parent of ${few(names)}.`, again);
}

async function hasChanges(
  client: KubeClient,
  registry: ConnectedRegistry,
): Promise<WaitingError | StalledError | undefined> {
  const { metadata, spec, status } = registry;
  if (spec.parent === undefined || metadata.annotations?.[giveUpAnnotation] === "yes") return undefined;
  if (status?.drained !== undefined && status.drained === drainOf(registry, [])) return undefined;
  if (status?.version === undefined && !(await hasVolume(client, registry))) return undefined;
  if ((status?.up?.pending ?? 0) > 0) {
    const fact = "Clients pushed changes that the parent does not have yet: .status.up counts them.";
    return new WaitingError("UnsentChanges", fact, again);
  }
  if (unsentIn(registry) > 0) {
    return new StalledError(
      "UnsentChanges",
      "The parent refuses changes of clients: .status.up names them.",
      again,
    );
  }
  if (!needsHold(registry, [])) return undefined;
  const fact = "The registry has not said yet that the parent has all changes of clients.";
  return new WaitingError("UnsentChanges", fact, again);
}

/** Whether there may be something in the registry's volume although it has never been heard. */
async function hasVolume(client: KubeClient, { metadata }: ConnectedRegistry): Promise<boolean> {
  const { namespace = "", name } = metadata;
  const claim = await client.get(PersistentVolumeClaimKind, { namespace, name: claimName(name) });
  return claim?.status?.phase === "Bound";
}

async function isNamespaceGoing(client: KubeClient, { metadata }: ConnectedRegistry): Promise<boolean> {
  const found = await client.get(NamespaceKind, { namespace: "", name: metadata.namespace ?? "" });
  return found?.metadata.deletionTimestamp !== undefined;
}
