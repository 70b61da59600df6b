import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { NetworkPolicyKind } from "../api/kubernetes.ts";
import { desiredNetworkPolicy } from "../resources/network-policy.ts";
import type { KubeClient } from "../runtime/kube.ts";
import { ensure } from "./ensure.ts";

/**
 * Makes the registry's NetworkPolicy so, or takes it away. Somebody else's of the same name is left alone.
 *
 * @throws as `ensure` does
 */
export async function ensureNetworkPolicy(client: KubeClient, registry: ConnectedRegistry): Promise<void> {
  const desired = desiredNetworkPolicy(registry);
  if (desired !== undefined) {
    await ensure(client, NetworkPolicyKind, desired);
    return;
  }
  const { namespace = "", uid } = registry.metadata;
  // Listed, since most registries have none: what is not in the cache would be asked of the API server each time.
  for (const { metadata } of await client.list(NetworkPolicyKind, namespace)) {
    if (!(metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid))
      continue;
    await client.delete(NetworkPolicyKind, { namespace, name: metadata.name }, metadata.uid);
  }
}
